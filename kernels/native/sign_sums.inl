// Sums of floats with signs, four at a time: the 16 signed sums of four vectors are tabled once, and whoever needs one of them looks
// it up by four sign bits, so that one addition does the work of four multiply-adds. Both gradients of a binary convolution and the
// convolution of floats by a sign filter are such sums ("four Russians", Arlazarov et al. 1970).
namespace sign_sums {

constexpr int kSigns = 4;
constexpr int kEntries = 1 << kSigns;

// entry i at out + i*stride: bit j of i set subtracts the j-th vector
static inline void table_of(Vec a, Vec b, Vec c, Vec d, float* out, size_t stride) {
  const Vec low[4] = {a + b, b - a, a - b, -a - b};
  const Vec high[4] = {c + d, d - c, c - d, -c - d};
#pragma GCC unroll 16
  for (int i = 0; i < kEntries; i++) store(out + i * stride, low[i & 3] + high[i >> 2]);
}

// 4x4 floats: columns of the rows at from[0..3] become rows of four floats at to, to + stride...
static inline void transpose4(const float* const from[4], float* to, size_t stride) {
  typedef float Four __attribute__((vector_size(16), may_alias));
  typedef float FourUnaligned __attribute__((vector_size(16), aligned(4), may_alias));
  typedef int32_t Lanes __attribute__((vector_size(16)));
  Four r[4];
  for (int i = 0; i < 4; i++) r[i] = *reinterpret_cast<const FourUnaligned*>(from[i]);
  const Four a = __builtin_shuffle(r[0], r[1], Lanes{0, 4, 1, 5}), b = __builtin_shuffle(r[2], r[3], Lanes{0, 4, 1, 5});
  const Four c = __builtin_shuffle(r[0], r[1], Lanes{2, 6, 3, 7}), d = __builtin_shuffle(r[2], r[3], Lanes{2, 6, 3, 7});
  *reinterpret_cast<FourUnaligned*>(to) = __builtin_shuffle(a, b, Lanes{0, 1, 4, 5});
  *reinterpret_cast<FourUnaligned*>(to + stride) = __builtin_shuffle(a, b, Lanes{2, 3, 6, 7});
  *reinterpret_cast<FourUnaligned*>(to + 2 * stride) = __builtin_shuffle(c, d, Lanes{0, 1, 4, 5});
  *reinterpret_cast<FourUnaligned*>(to + 3 * stride) = __builtin_shuffle(c, d, Lanes{2, 3, 6, 7});
}

// Bit i of a byte in byte i of a word.
struct Spread {
  uint64_t bytes[256];
  constexpr Spread() : bytes() {
    for (int value = 0; value < 256; value++)
      for (int i = 0; i < 8; i++) bytes[value] |= uint64_t((value >> i) & 1) << (8 * i);
  }
};
constexpr Spread spread;

}  // namespace sign_sums
