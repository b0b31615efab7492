// The pool under several callers at once, and what its bodies throw. Built and run by scripts/check-sanitizers.sh, with the thread sanitizer too.
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "thread_pool.h"

using namespace signum;

namespace {
std::atomic<int> failed{0};

void expect(bool holds, const char* what) {
  if (holds) return;
  failed++;
  std::printf("failed: %s\n", what);
}

// Every index once, by whichever thread; scratch of its own for every one of them.
void sums(int rounds, int seed) {
  for (int round = 0; round < rounds; round++) {
    const Caller caller;
    const size_t count = 1 + size_t(seed * 131 + round * 17) % 5000;
    std::vector<int> seen(count, 0);
    parallel_ranges(count, 1, [&](size_t begin, size_t end, int thread) {
      int* mine = scratch<int>(Scratch::kDots, thread, 1 + (end - begin));
      for (size_t i = begin; i < end; i++) mine[i - begin] = int(i);
      for (size_t i = begin; i < end; i++) seen[mine[i - begin]]++;
    });
    bool once = true;
    for (const int times : seen) once = once && times == 1;
    expect(once, "every index once");
  }
}

void throwing(int rounds) {
  for (int round = 0; round < rounds; round++) {
    const Caller caller;
    std::atomic<int> inside{0};
    bool caught = false;
    try {
      parallel_ranges(64, 1, [&](size_t, size_t end, int) {
        inside++;
        const bool bad = end > size_t(round % 64);
        inside--;
        if (bad) throw std::runtime_error("a body's");
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    expect(caught, "the exception reaches the caller");
    expect(inside == 0, "no thread is in the body any more");
  }
}

// A body that comes back to the pool does the inner work itself.
void nested() {
  std::atomic<int> total{0};
  parallel_ranges(16, 1, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++)
      parallel_ranges(16, 1, [&](size_t from, size_t to, int) { total += int(to - from); });
  });
  expect(total == 256, "nested ranges");
}
}  // namespace

int main() {
  for (const int threads : {1, 2, 4}) {
    set_thread_count(threads);
    nested();
    throwing(200);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; i++)
      callers.emplace_back([i] {
        sums(500, i);
        throwing(100);
        if (i == 0) set_thread_count(1 + thread_count() % 4);
        sums(100, i);
      });
    for (auto& caller : callers) caller.join();
  }
  std::printf("pool: %d failed\n", failed.load());
  return failed ? 1 : 0;
}
