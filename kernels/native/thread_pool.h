// A fixed pool that splits a loop over the cores. Work is cut by index only, so results never depend on timing: who computes a part does.
#pragma once
#include <cstddef>

namespace signum {

using RangeBody = void (*)(void* context, size_t begin, size_t end, int thread);

int thread_count();
void set_thread_count(int threads);

// Runs body over [0, count) in contiguous ranges, a few per thread; returns when all are done. Not reentrant.
void run_ranges(size_t count, size_t minimum, RangeBody body, void* context);

// body(begin, end, thread); `minimum` is the fewest indices worth a thread of their own.
template <class Body>
inline void parallel_ranges(size_t count, size_t minimum, const Body& body) {
  run_ranges(
      count, minimum,
      [](void* context, size_t begin, size_t end, int thread) {
        (*static_cast<const Body*>(context))(begin, end, thread);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// A buffer of at least `bytes` that this thread of the pool keeps between calls (64-byte aligned); `slot` separates uses.
enum class Scratch { kImage, kPanelA, kPanelB, kFilter, kGradient, kDots, kPartial, kTile, kCount };
void* scratch_bytes(Scratch slot, int thread, size_t bytes);

template <class T>
inline T* scratch(Scratch slot, int thread, size_t count) {
  return static_cast<T*>(scratch_bytes(slot, thread, count * sizeof(T)));
}

}  // namespace signum
