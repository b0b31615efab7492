#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace signum {
namespace {

constexpr int kMaxThreads = 64;
// Kernels of one training step follow each other within microseconds: a worker that spins this long is there for the next.
constexpr int kSpins = 4000;
constexpr size_t kPartsPerThread = 4;

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct Job {
  RangeBody body;
  void* context;
  size_t count, parts;
};

class Pool {
 public:
  ~Pool() { resize(1); }

  void resize(int threads) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    stopping_ = false;
    const unsigned now = generation_.load();
    for (int i = 1; i < threads; i++) workers_.emplace_back([this, i, now] { work(i, now); });
  }

  void run(const Job& job) {
    job_ = job;
    next_.store(0);
    pending_.store(int(workers_.size()));
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    take_parts(job, 0);
    while (pending_.load(std::memory_order_acquire) > 0) pause_cpu();
  }

 private:
  // whoever is done takes the next: cores of a shared machine are not equally fast
  void take_parts(const Job& job, int thread) {
    for (size_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < job.parts;)
      job.body(job.context, job.count * part / job.parts, job.count * (part + 1) / job.parts, thread);
  }

  void work(int index, unsigned seen) {
    for (;;) {
      for (int i = 0; i < kSpins && generation_.load(std::memory_order_acquire) == seen; i++) pause_cpu();
      if (generation_.load() == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load() != seen; });
      }
      seen = generation_.load();
      if (stopping_) return;
      take_parts(job_, index);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> generation_{0};
  std::atomic<size_t> next_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> stopping_{false};
  Job job_{};
};

struct Buffer {
  void* data = nullptr;
  size_t bytes = 0;
  ~Buffer() { std::free(data); }
};

// The addon is loaded by one JS thread per process in the normal case; worker threads take turns on the one pool.
std::mutex pool_mutex;
int threads = 0;
Buffer buffers[int(Scratch::kCount)][kMaxThreads];

Pool& pool() {
  static Pool instance;
  return instance;
}

int default_threads() {
  const char* wanted = std::getenv("SIGNUM_THREADS");
  const int asked = wanted ? std::atoi(wanted) : 0;
  const int cores = int(std::thread::hardware_concurrency());
  const int chosen = asked > 0 ? asked : cores;
  return chosen < 1 ? 1 : chosen > kMaxThreads ? kMaxThreads : chosen;
}

}  // namespace

int thread_count() {
  if (threads == 0) set_thread_count(default_threads());
  return threads;
}

void set_thread_count(int wanted) {
  std::lock_guard<std::mutex> lock(pool_mutex);
  threads = wanted < 1 ? 1 : wanted > kMaxThreads ? kMaxThreads : wanted;
  pool().resize(threads);
}

void run_ranges(size_t count, size_t minimum, RangeBody body, void* context) {
  if (count == 0) return;
  const size_t most = minimum > 1 ? (count + minimum - 1) / minimum : count;
  const size_t parts = std::min(most, thread_count() == 1 ? size_t(1) : size_t(thread_count()) * kPartsPerThread);
  if (parts <= 1) {
    body(context, 0, count, 0);
    return;
  }
  std::lock_guard<std::mutex> lock(pool_mutex);
  pool().run(Job{body, context, count, parts});
}

void* scratch_bytes(Scratch slot, int thread, size_t bytes) {
  Buffer& buffer = buffers[int(slot)][thread];
  if (buffer.bytes < bytes) {
    std::free(buffer.data);
    buffer.bytes = (bytes + 4095) & ~size_t(4095);
    buffer.data = std::aligned_alloc(64, buffer.bytes);
    if (!buffer.data) {
      buffer.bytes = 0;
      throw std::bad_alloc();
    }
  }
  return buffer.data;
}

}  // namespace signum
