// Typed-array arguments as the kernels see them, and the size checks that turn a wrong call into an exception.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace signum {

template <class T>
struct Span {
  T* data;
  size_t size;
};
using Floats = Span<float>;
using Words = Span<uint32_t>;
using Ints = Span<int32_t>;

template <class T>
inline void require(const Span<T>& span, size_t needed, const char* what) {
  if (span.size < needed) {
    throw std::runtime_error(std::string(what) + " has " + std::to_string(span.size) + " elements, needs " +
                             std::to_string(needed));
  }
}

inline size_t words_per_row(int channels) { return 2 * ((size_t(channels) + 63) / 64); }

// A matrix may have no rows, which makes its kernels do nothing, but not rows of nothing.
inline void require_rows(int rows, int channels) {
  if (rows < 0 || channels < 1)
    throw std::runtime_error(std::to_string(rows) + " rows of " + std::to_string(channels) + " channels: expected at least 0 and 1");
}
inline size_t matrix_size(int rows, int channels) {
  require_rows(rows, channels);
  return size_t(rows) * channels;
}
inline size_t packed_size(int rows, int channels) {
  require_rows(rows, channels);
  return rows * words_per_row(channels);
}

}  // namespace signum
