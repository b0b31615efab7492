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

// Within each 128 bits: kLow 0 and 1 of a and b in turns, kHigh 2 and 3 of them; kFirst 0 and 1 of a, then of b; kSecond 2 and 3.
enum class Pick { kLow, kHigh, kFirst, kSecond };
template <Pick kPick, int... kLane>
static inline Vec picked(Vec a, Vec b, std::integer_sequence<int, kLane...>) {
  constexpr auto at = [](int lane) constexpr {
    const int block = lane / 4 * 4, i = lane % 4;
    const bool turns = kPick == Pick::kLow || kPick == Pick::kHigh, upper = kPick == Pick::kHigh || kPick == Pick::kSecond;
    return block + 2 * upper + (turns ? i / 2 + i % 2 * kLanes : i % 2 + i / 2 * kLanes);
  };
  return __builtin_shufflevector(a, b, at(kLane)...);
}
template <Pick kPick>
static inline Vec picked(Vec a, Vec b) { return picked<kPick>(a, b, std::make_integer_sequence<int, kLanes>{}); }

// kCount floats: four at `from`, four `step` floats on...; through memory the processor would wait for every store.
template <int kCount>
static inline auto load_fours(const float* from, size_t step) {
  typedef float Result __attribute__((vector_size(kCount * 4), aligned(4), may_alias));
  if constexpr (kCount == 4) {
    return *reinterpret_cast<const Result*>(from);
  } else {
    return [&]<int... kLane>(std::integer_sequence<int, kLane...>) {
      return __builtin_shufflevector(load_fours<kCount / 2>(from, step), load_fours<kCount / 2>(from + kCount / 8 * step, step), kLane...);
    }(std::make_integer_sequence<int, kCount>{});
  }
}

// 4x4 floats within each 128 bits: columns become rows.
static inline void turn(Vec r[4]) {
  const Vec a = picked<Pick::kLow>(r[0], r[1]), b = picked<Pick::kLow>(r[2], r[3]);
  const Vec c = picked<Pick::kHigh>(r[0], r[1]), d = picked<Pick::kHigh>(r[2], r[3]);
  r[0] = picked<Pick::kFirst>(a, b);
  r[1] = picked<Pick::kSecond>(a, b);
  r[2] = picked<Pick::kFirst>(c, d);
  r[3] = picked<Pick::kSecond>(c, d);
}

// Four channels of kLanes neighbouring pixels, `pixel` floats apart: to[c] holds channel c of all.
static inline void load_transposed(const float* from, size_t pixel, Vec to[4]) {
  // row i holds pixels i, 4 + i, 8 + i..., so that 4x4 blocks are turned within 128 bits
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) to[i] = (Vec)load_fours<kLanes>(from + i * pixel, 4 * pixel);
  turn(to);
}

// The reverse: kLanes pixels of four channels, `step` floats apart, become pixels `pixel` floats apart.
static inline void store_transposed(const float* from, size_t step, float* to, size_t pixel) {
  typedef float FourUnaligned __attribute__((vector_size(16), aligned(4), may_alias));
  Vec r[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) r[i] = load(from + i * step);
  turn(r);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    [&]<int... kBlock>(std::integer_sequence<int, kBlock...>) {
      const auto put = [&](auto block) {
        constexpr int at = 4 * block;
        *reinterpret_cast<FourUnaligned*>(to + (at + i) * pixel) = __builtin_shufflevector(r[i], r[i], at, at + 1, at + 2, at + 3);
      };
      (put(std::integral_constant<int, kBlock>{}), ...);
    }(std::make_integer_sequence<int, kLanes / 4>{});
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
