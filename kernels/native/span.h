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

}  // namespace signum
