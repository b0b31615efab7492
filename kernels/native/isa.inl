// Compiled once per instruction set with that set's flags: defines the namespace SIGNUM_ISA and its table of kernels.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>
// SIGNUM_EMULATE_AVX512: the AVX-512 sources over SIMDe, so that a CPU without AVX-512 can test them (scripts/check-emulated.mjs).
#if defined(SIGNUM_EMULATE_AVX512)
#include "emulate_avx512.h"
#elif defined(__x86_64__)
#include <immintrin.h>
#if defined(__AVX512VPOPCNTDQ__)
#define SIGNUM_AVX512 1
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "geometry.h"
#include "kernel_table.h"
#include "thread_pool.h"

namespace signum {
namespace SIGNUM_ISA {
namespace {
#include "vec.h"
#include "bits.inl"
#include "sgemm.inl"
#include "float_conv.inl"
#include "filter_gradient.inl"
#include "sign_sums.inl"
#include "sign_filter_gradient.inl"
#include "sign_conv.inl"
#include "xnor_tile.inl"
#if (defined(__AVX2__) && !defined(SIGNUM_AVX512)) || defined(__aarch64__)
#include "xnor_nibbles.inl"
#else
#include "xnor_words.inl"
#endif
#include "xnor.inl"
#include "elementwise.inl"
#include "channels.inl"
#include "copying.inl"
#include "pooling.inl"
#include "optimizer_steps.inl"
}  // namespace

extern const KernelTable table;
#define X(kernel, ...) kernel,
const KernelTable table = {SIGNUM_ISA_NAME, SIGNUM_KERNELS(X)};
#undef X

}  // namespace SIGNUM_ISA
}  // namespace signum
