// A pool that splits a loop over the cores, for any number of calling threads. Work is cut by index only, so results never depend
// on timing: who computes a part does.
#pragma once
#include <cstddef>

namespace signum {

using RangeBody = void (*)(void* context, size_t begin, size_t end, int thread);

int thread_count();
void set_thread_count(int threads);

// One exists for as long as a thread of JavaScript is inside a kernel: the pool leaves its core to it.
struct Caller {
  Caller();
  ~Caller();
};

// Runs body over [0, count) in contiguous ranges, a few per thread; returns when all are done. While another caller has the pool, the
// calling thread does it all. What a body throws reaches the caller once no thread is in the body any more.
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

// The same over blocks of at most `block` indices, the last one first. Kernels that follow each other over the same large arrays run in turns
// forwards and backwards: what one has touched last is still in the cache when the next begins with it.
template <class Body>
inline void blocks_backwards(size_t count, size_t block, size_t minimum, const Body& body) {
  const size_t blocks = (count + block - 1) / block;
  parallel_ranges(blocks, (minimum + block - 1) / block, [&](size_t begin, size_t end, int thread) {
    for (size_t i = begin; i < end; i++) {
      const size_t first = (blocks - 1 - i) * block;
      body(first, first + block < count ? first + block : count, thread);
    }
  });
}

// A buffer of at least `bytes` that the calling thread keeps between calls (64-byte aligned); `slot` separates uses.
enum class Scratch { kImage, kPanelA, kPanelB, kFilter, kGradient, kDots, kPartial, kTile, kCount };
void* scratch_bytes(Scratch slot, size_t bytes);

// `thread` says whose it is to the reader: the body's, or 0 outside of one. It is always the calling thread's.
template <class T>
inline T* scratch(Scratch slot, int /*thread*/, size_t count) {
  return static_cast<T*>(scratch_bytes(slot, count * sizeof(T)));
}

}  // namespace signum
