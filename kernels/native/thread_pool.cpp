#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace signum {
namespace {

constexpr int kMaxThreads = 64;
// Kernels of one training step follow each other within microseconds: a worker that spins this long is there for the next.
constexpr int kSpins = 4000;
constexpr size_t kPartsPerThread = 4;

std::atomic<int> threads{0};
std::atomic<int> callers{0};

// Spinning would take the core from a thread that computes.
bool crowded() { return callers.load(std::memory_order_relaxed) >= threads.load(std::memory_order_relaxed); }

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct Job {
  RangeBody body;
  void* context;
  size_t count, parts;
};

// Used by one caller at a time (`busy` below). A job is open while `generation_` is odd. Workers that have entered are waited for;
// those that sleep or were not given a core are not.
class Pool {
 public:
  void resize(int wanted) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    stopping_ = false;
    const uint64_t now = generation_.load();
    for (int i = 1; i < wanted; i++) workers_.emplace_back([this, i, now] { work(i, now); });
  }

  void run(const Job& job) {
    job_ = job;
    next_.store(0);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    take_parts(0);
    generation_.fetch_add(1);
    for (int spins = 0; inside_.load() > 0; spins++) spins < kSpins ? pause_cpu() : std::this_thread::yield();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  // whoever is done takes the next: cores of a shared machine are not equally fast
  void take_parts(int thread) {
    try {
      for (size_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < job_.parts;)
        job_.body(job_.context, job_.count * part / job_.parts, job_.count * (part + 1) / job_.parts, thread);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_.store(job_.parts);
    }
  }

  bool opened_since(uint64_t seen) const {
    const uint64_t now = generation_.load();
    return now % 2 == 1 && now != seen;
  }

  void work(int index, uint64_t seen) {
    for (;;) {
      for (int i = 0; i < kSpins && !opened_since(seen) && !crowded(); i++) pause_cpu();
      if (!opened_since(seen)) {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || opened_since(seen); });
      }
      if (stopping_) return;
      // the caller closes a job before it looks at `inside_`: either it waits for this thread or this thread finds the job closed
      inside_.fetch_add(1);
      seen = generation_.load();
      if (seen % 2 == 1) take_parts(index);
      inside_.fetch_sub(1);
    }
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<size_t> next_{0};
  std::atomic<int> inside_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
  Job job_{};
};

// Never destroyed: its threads may sleep in it until the process ends.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

// The pool serves one caller at a time; a flag and not a mutex, since a body may come here again.
std::atomic<bool> busy{false};
struct Claim {
  const bool mine = !busy.exchange(true);
  ~Claim() {
    if (mine) busy.store(false);
  }
};

int default_threads() {
  const char* wanted = std::getenv("SIGNUM_THREADS");
  const int asked = wanted ? std::atoi(wanted) : 0;
  return asked > 0 ? asked : int(std::thread::hardware_concurrency());
}

struct Buffer {
  void* data = nullptr;
  size_t bytes = 0;
  ~Buffer() { std::free(data); }
};
thread_local Buffer buffers[int(Scratch::kCount)];

}  // namespace

Caller::Caller() { callers.fetch_add(1, std::memory_order_relaxed); }
Caller::~Caller() { callers.fetch_sub(1, std::memory_order_relaxed); }

int thread_count() {
  const int now = threads.load(std::memory_order_relaxed);
  if (now > 0) return now;
  set_thread_count(default_threads());
  return threads.load(std::memory_order_relaxed);
}

void set_thread_count(int wanted) {
  wanted = std::clamp(wanted, 1, kMaxThreads);
  for (;;) {
    const Claim claim;
    if (!claim.mine) {
      std::this_thread::yield();
      continue;
    }
    if (threads.load() != wanted) pool().resize(wanted);
    threads.store(wanted);
    return;
  }
}

void run_ranges(size_t count, size_t minimum, RangeBody body, void* context) {
  if (count == 0) return;
  const size_t most = minimum > 1 ? (count + minimum - 1) / minimum : count;
  const int available = thread_count();
  const size_t parts = std::min(most, available == 1 ? size_t(1) : size_t(available) * kPartsPerThread);
  if (parts > 1 && !crowded()) {
    const Claim claim;
    if (claim.mine) return pool().run(Job{body, context, count, parts});
  }
  body(context, 0, count, 0);
}

void* scratch_bytes(Scratch slot, size_t bytes) {
  Buffer& buffer = buffers[int(slot)];
  if (buffer.bytes < bytes) {
    std::free(buffer.data);
    buffer.bytes = 0;
    const size_t rounded = (bytes + 4095) & ~size_t(4095);
    buffer.data = rounded < bytes ? nullptr : std::aligned_alloc(64, rounded);
    if (!buffer.data) throw std::bad_alloc();
    buffer.bytes = rounded;
  }
  return buffer.data;
}

}  // namespace signum
