// Inner kernel with a 64-bit population count: AVX-512 VPOPCNTDQ holds 8 outputs per vector and broadcasts activation words, 6
// pixels by 4 vectors of accumulators; the scalar form is the same loop one output at a time.
namespace xnor {

constexpr int kPanel = 32;
constexpr int kMostPanels = 1;
typedef uint64_t Unit;

#if defined(__AVX512VPOPCNTDQ__)
constexpr const char* kKernel = "vpopcntq";
constexpr int kMostPixels = 6;
#else
constexpr const char* kKernel = "scalar popcount";
constexpr int kMostPixels = 1;
#endif

static size_t units_per_row(int channels) { return words_per_row(channels) / 2; }
static size_t panel_units(int taps, int channels) { return taps * units_per_row(channels) * kPanel; }

static inline void expand_row(const uint32_t* words, int channels, Unit* out) {
  std::memcpy(out, words, sizeof(uint32_t) * words_per_row(channels));
}

// [tap][word][32 outputs]
template <class RowOf>
static void prepare_panel(int taps, int channels, const RowOf& row_of, uint8_t* bytes) {
  uint64_t* out = reinterpret_cast<uint64_t*>(bytes);
  const size_t units = taps * units_per_row(channels);
  for (int o = 0; o < kPanel; o++) {
    const uint32_t* row = row_of(o);
    for (size_t u = 0; u < units; u++) out[u * kPanel + o] = row ? row[2 * u] | uint64_t(row[2 * u + 1]) << 32 : 0;
  }
}

template <int kPixels, int kPanels>
static void tile(const Unit* image, long pixel_step, const long* taps, int tap_count, int units, const uint8_t* panel,
                 size_t, int32_t* counts) {
  const uint64_t* weights = reinterpret_cast<const uint64_t*>(panel);
#if defined(__AVX512VPOPCNTDQ__)
  __m512i acc[kPixels][4];
#pragma GCC unroll 6
  for (int p = 0; p < kPixels; p++)
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) acc[p][v] = _mm512_setzero_si512();
  for (int t = 0; t < tap_count; t++) {
    const Unit* a = image + taps[t];
    for (int u = 0; u < units; u++, weights += kPanel) {
      __m512i w[4];
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) w[v] = _mm512_loadu_si512(weights + 8 * v);
#pragma GCC unroll 6
      for (int p = 0; p < kPixels; p++) {
        const __m512i word = _mm512_set1_epi64((long long)a[p * pixel_step + u]);
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++)
          acc[p][v] = _mm512_add_epi64(acc[p][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, w[v])));
      }
    }
  }
  for (int p = 0; p < kPixels; p++)
    for (int v = 0; v < 4; v++)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(counts + p * kPanel + 8 * v), _mm512_cvtepi64_epi32(acc[p][v]));
#else
  for (int p = 0; p < kPixels; p++) {
    int32_t sums[kPanel] = {};
    const uint64_t* w = weights;
    for (int t = 0; t < tap_count; t++) {
      const Unit* a = image + taps[t] + p * pixel_step;
      for (int u = 0; u < units; u++, w += kPanel)
        for (int o = 0; o < kPanel; o++) sums[o] += __builtin_popcountll(a[u] ^ w[o]);
    }
    std::memcpy(counts + p * kPanel, sums, sizeof(sums));
  }
#endif
}

constexpr int kMostUnits = 1 << 30;

}  // namespace xnor
