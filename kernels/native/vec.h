// Vectors of floats as wide as the instruction set, by the compiler's vector extension, and the few operations it lacks.
// Included once per instruction set, inside that set's namespace.
#if defined(SIGNUM_AVX512)
constexpr int kLanes = 16;
constexpr int kPanelVectors = 4;  // 6 rows x 4 vectors of accumulators: 24 of 32 registers
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kPanelVectors = 2;  // 12 of 16 registers
#elif defined(__aarch64__)
constexpr int kLanes = 4;
constexpr int kPanelVectors = 4;
#else
constexpr int kLanes = 4;
constexpr int kPanelVectors = 2;
#endif
// What decides the order in which floats are added (lanes of a sum, sizes of blocks) counts in lanes of the widest set on every set:
// training gives the same bits whatever computes it.
constexpr int kSumLanes = 16;

static inline int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

typedef float Vec __attribute__((vector_size(kLanes * 4), may_alias));
typedef float VecUnaligned __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t VecInt __attribute__((vector_size(kLanes * 4), may_alias));

static inline Vec load(const float* p) { return *reinterpret_cast<const VecUnaligned*>(p); }
static inline void store(float* p, Vec v) { *reinterpret_cast<VecUnaligned*>(p) = v; }
// x - 0 is x for every x, so this folds to one broadcast (x + 0 would not: -0 + 0 is +0).
static inline Vec broadcast(float x) { return x - Vec{}; }

// Asks for memory that a later step will read or, with kWrite, overwrite: kernels that compute for long between two short passes over
// memory would wait for it, as the processor foresees only passes that go on.
template <bool kWrite = false>
static inline void prefetch(const float* from, size_t count) {
  constexpr size_t kLine = 64 / sizeof(float);
  for (size_t i = 0; i < count; i += kLine) __builtin_prefetch(from + i, kWrite);
}

// Zeros for a few whole vectors. The statement without instructions keeps the compiler from calling memset, which takes as long for these as
// for thousands.
static inline void clear(float* to, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) {
    store(to + i, Vec{});
    asm volatile("");
  }
}

// a - b of what a filter may hold that somebody else wrote: wrong numbers wrap, they are not undefined
static inline VecInt wrapping_difference(VecInt a, VecInt b) {
  typedef uint32_t VecUnsigned __attribute__((vector_size(kLanes * 4)));
  return (VecInt)((VecUnsigned)a - (VecUnsigned)b);
}

// A run of floats is taken by whole vectors and one partial one: `f(i, extent)` is called for each, and load/store take the extent.
// Explicit vectors instead of the auto-vectoriser, whose alias checks cost more than a short row of channels.
struct Whole {};
struct Part { int count; };
static inline Vec load(const float* p, Whole) { return load(p); }
#if defined(SIGNUM_AVX512) && !defined(SIGNUM_EMULATE_AVX512)
static inline __mmask16 lanes_of(Part part) { return __mmask16((1u << part.count) - 1); }
static inline Vec load(const float* p, Part part) { return (Vec)_mm512_maskz_loadu_ps(lanes_of(part), p); }
static inline void store(float* p, Vec v, Part part) { _mm512_mask_storeu_ps(p, lanes_of(part), (__m512)v); }
#elif defined(__AVX2__) && !defined(SIGNUM_AVX512)
static inline __m256i lanes_of(Part part) { return (__m256i)(VecInt{0, 1, 2, 3, 4, 5, 6, 7} < part.count); }
static inline Vec load(const float* p, Part part) { return (Vec)_mm256_maskload_ps(p, lanes_of(part)); }
static inline void store(float* p, Vec v, Part part) { _mm256_maskstore_ps(p, lanes_of(part), (__m256)v); }
#else
static inline Vec load(const float* p, Part part) {
  float lanes[kLanes] = {};
  std::memcpy(lanes, p, sizeof(float) * part.count);
  return load(lanes);
}
static inline void store(float* p, Vec v, Part part) {
  float lanes[kLanes];
  store(lanes, v);
  std::memcpy(p, lanes, sizeof(float) * part.count);
}
#endif
static inline void store(float* p, Vec v, Whole) { store(p, v); }
template <class Extent>
static inline VecInt load(const int32_t* p, Extent extent) {
  return (VecInt)load(reinterpret_cast<const float*>(p), extent);
}
template <class Extent>
static inline void store(int32_t* p, VecInt v, Extent extent) {
  store(reinterpret_cast<float*>(p), (Vec)v, extent);
}
template <class Extent>
static inline Vec to_floats(const int32_t* p, Extent extent) {
  return __builtin_convertvector(load(p, extent), Vec);
}
// body(n as a constant), for n = 1, 2 or 4 and at most kMost
template <int kMost, class Body>
static inline void as_constant(int n, const Body& body) {
  switch (n) {
    case 1: return body(std::integral_constant<int, 1>{});
    case 2: if constexpr (kMost >= 2) return body(std::integral_constant<int, 2>{});
    default: if constexpr (kMost >= 4) return body(std::integral_constant<int, 4>{});
  }
}
template <class F>
static inline void by_vectors(int n, const F& f) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, Whole{});
  if (i < n) f(i, Part{n - i});
}

// A cache line of floats. Passes over large arrays take whole lines: one that touches every line twice, half of it at a time, takes 1.4 times as
// long.
constexpr int kLine = 16;
constexpr int kLineVectors = kLine / kLanes;
struct WholeLine {};
struct Line {
  Vec part[kLineVectors];

  // f(index of the part)
  template <class F>
  static inline Line of(const F& f) {
    Line line;
#pragma GCC unroll 4
    for (int i = 0; i < kLineVectors; i++) line.part[i] = f(i);
    return line;
  }
};
static inline Line load(const float* p, WholeLine) { return Line::of([=](int i) { return load(p + i * kLanes); }); }
static inline void store(float* p, const Line& line, WholeLine) {
#pragma GCC unroll 4
  for (int i = 0; i < kLineVectors; i++) store(p + i * kLanes, line.part[i]);
}
static inline Line operator+(const Line& a, const Line& b) { return Line::of([&](int i) { return a.part[i] + b.part[i]; }); }
static inline Line operator-(const Line& a, const Line& b) { return Line::of([&](int i) { return a.part[i] - b.part[i]; }); }
static inline Line operator*(const Line& a, const Line& b) { return Line::of([&](int i) { return a.part[i] * b.part[i]; }); }
static inline Line& operator+=(Line& a, const Line& b) { return a = a + b; }

// f of vectors, or of those of a line
template <class F>
static inline Vec each(const F& f, Vec a, Vec b) { return f(a, b); }
template <class F>
static inline Line each(const F& f, const Line& a, const Line& b) { return Line::of([&](int i) { return f(a.part[i], b.part[i]); }); }

// by_vectors, by whole lines as far as they go
template <class F>
static inline void by_lines(int n, const F& f) {
  int i = 0;
  for (; i + kLine <= n; i += kLine) f(i, WholeLine{});
  by_vectors(n - i, [&](int j, auto extent) { f(i + j, extent); });
}

#if !defined(SIGNUM_AVX512) && !defined(__AVX2__) && !defined(__aarch64__)
// a*b + c rounded once, without an instruction for it. The product is exact in double precision; rounding the sum to double and then to
// float errs only where the first rounding ends half way between two floats, or below the normal ones. Rounding to odd there makes the
// second rounding see which side the sum was on (Boldo and Melquiond 2008).
static inline float fused_to_odd(float a, float b, float c) {
  const double product = double(a) * b, sum = product + c, rest = sum - product;
  const double error = (product - (sum - rest)) + (c - rest);
  int64_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  if (error != 0 && !(bits & 1)) bits += (error > 0) == (sum > 0) ? 1 : -1;
  double odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return float(odd);
}
static inline Vec fused(Vec a, Vec b, Vec c) {
  typedef double Wide __attribute__((vector_size(kLanes * 8)));
  typedef uint64_t Bits __attribute__((vector_size(kLanes * 8)));
  typedef int32_t Halves __attribute__((vector_size(kLanes * 8)));
  static_assert(kLanes == 4, "the masks below are of four lanes, low half first");
  const Wide sum = __builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide) + __builtin_convertvector(c, Wide);
  constexpr int32_t kLow = 0x1fffffff, kHigh = 0x7fffffff, kMiddle = 0x10000000, kNormal = 0x38100000;
  const Halves halves = (Halves)sum & Halves{kLow, kHigh, kLow, kHigh, kLow, kHigh, kLow, kHigh};
  const Halves middle = (halves == kMiddle) & Halves{-1, 0, -1, 0, -1, 0, -1, 0};
  const Halves small = (halves < kNormal) & (halves != 0) & Halves{0, -1, 0, -1, 0, -1, 0, -1};
  const Bits risky = (Bits)(middle | small);
  Vec result = __builtin_convertvector(sum, Vec);
  if (__builtin_expect((risky[0] | risky[1] | risky[2] | risky[3]) != 0, 0))
    for (int i = 0; i < kLanes; i++) result[i] = fused_to_odd(a[i], b[i], c[i]);
  return result;
}
#endif

// a*b + c, rounded once: by one instruction or by its exact emulation, so that sums have the same bits on every instruction set.
static inline Vec multiply_add(Vec a, Vec b, Vec c) {
#if defined(SIGNUM_AVX512)
  return (Vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (Vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return fused(a, b, c);
#endif
}

// AVX2's instructions by name: the compiler does not find them in the masks, which take four times as many. What they do with NaN and
// equal zeros is what the comparisons do.
#if defined(__AVX2__) && !defined(SIGNUM_AVX512)
static inline Vec select(VecInt mask, Vec yes, Vec no) { return (Vec)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask); }
static inline Vec minimum(Vec a, Vec b) { return (Vec)_mm256_min_ps((__m256)a, (__m256)b); }
static inline Vec maximum(Vec a, Vec b) { return (Vec)_mm256_max_ps((__m256)a, (__m256)b); }
#else
static inline Vec select(VecInt mask, Vec yes, Vec no) { return (Vec)((mask & (VecInt)yes) | (~mask & (VecInt)no)); }
static inline Vec minimum(Vec a, Vec b) { return select((VecInt)(a < b), a, b); }
static inline Vec maximum(Vec a, Vec b) { return select((VecInt)(a > b), a, b); }
#endif
// NaN stays NaN: a clamp must not hide a diverged network.
static inline Vec clamped(Vec v, Vec low, Vec high) { return minimum(high, maximum(low, v)); }
static inline Vec square_root(Vec a) {
#if defined(SIGNUM_AVX512)
  return (Vec)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)a);
#else
  for (int i = 0; i < kLanes; i++) a[i] = __builtin_sqrtf(a[i]);
  return a;
#endif
}
// The whole number at or below, of values that an int32 can hold.
static inline Vec floored(Vec a) {
#if defined(__AVX2__) && !defined(SIGNUM_AVX512)
  return (Vec)_mm256_floor_ps((__m256)a);
#elif defined(__aarch64__)
  return (Vec)vrndmq_f32((float32x4_t)a);
#else
  const Vec truncated = __builtin_convertvector(__builtin_convertvector(a, VecInt), Vec);
  return truncated + __builtin_convertvector((VecInt)(truncated > a), Vec);  // the comparison is -1 where truncation rounded up
#endif
}
static inline Vec absolute(Vec a) { return (Vec)((VecInt)a & 0x7fffffff); }

// e^x within 2 ulp on [-87, 88], clamped outside: range reduction by ln 2 and a degree-6 polynomial (Cephes expf).
static inline Vec exponential(Vec x) {
  x = minimum(maximum(x, broadcast(-87.0f)), broadcast(88.0f));
  const Vec scaled = x * 1.44269504088896341f + 0.5f;
  const Vec whole = floored(scaled);
  const VecInt n = __builtin_convertvector(whole, VecInt);
  x = x - whole * 0.693359375f - whole * -2.12194440e-4f;
  Vec p = broadcast(1.9875691500e-4f);
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  p = p * x * x + x + 1.0f;
  return p * (Vec)((n + 127) << 23);
}
