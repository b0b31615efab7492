// The table of one instruction set, and what addon.cpp exports. Meaning: src/backend/kernels.ts.
#pragma once
#include "kernel_list.h"
#include "span.h"

// the peak is a benchmark
#define SIGNUM_KERNELS(X) SIGNUM_TABLE_KERNELS(X) X(xnorPeak, int, Floats)

namespace signum {

struct KernelTable {
  const char* name;
#define X(kernel, ...) void (*kernel)(__VA_ARGS__);
  SIGNUM_KERNELS(X)
#undef X
};

}  // namespace signum
