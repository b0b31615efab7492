// Inner kernel with a 64-bit population count: AVX-512 VPOPCNTDQ holds 8 outputs per vector and broadcasts activation words, 6
// pixels by 4 vectors of accumulators; the scalar form is the same loop one output at a time.
namespace xnor {

constexpr int kPanel = 32;
constexpr int kMostPanels = 1;
typedef uint64_t Unit;

#if defined(SIGNUM_AVX512)
constexpr const char* kKernel = "vpopcntq";
constexpr int kMostPixels = 6;
#else
constexpr const char* kKernel = "scalar popcount";
constexpr int kMostPixels = 1;
#endif

static size_t units_per_row(int channels) { return words_per_row(channels) / 2; }
static size_t panel_bytes(int taps, int channels) { return taps * units_per_row(channels) * kPanel * sizeof(Unit); }

static inline void expand_row(const uint32_t* words, int channels, Unit* out) {
  // one word is all of a narrow layer's pixel, and a copy of unknown length would be a call
  for (size_t u = 0; u < units_per_row(channels); u++) std::memcpy(out + u, words + 2 * u, sizeof(Unit));
}

static inline void finish_image(Unit*, size_t, size_t) {}

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

#if defined(SIGNUM_AVX512)
// kVectors of 8 outputs: narrow layers pay for no more than they have
template <int kPixels, int kVectors>
static void vector_tile(const Unit* image, long pixel_step, const long* taps, int tap_count, int units, const uint64_t* weights,
                        int32_t reach, int32_t* out, long out_step) {
  __m512i acc[kPixels][kVectors];
#pragma GCC unroll 6
  for (int p = 0; p < kPixels; p++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) acc[p][v] = _mm512_setzero_si512();
  for (int t = 0; t < tap_count; t++) {
    const Unit* a = image + taps[t];
    for (int u = 0; u < units; u++, weights += kPanel) {
      __m512i w[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) w[v] = _mm512_loadu_si512(weights + 8 * v);
#pragma GCC unroll 6
      for (int p = 0; p < kPixels; p++) {
        const __m512i word = _mm512_set1_epi64((long long)a[p * pixel_step + u]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++)
          acc[p][v] = _mm512_add_epi64(acc[p][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, w[v])));
      }
    }
  }
  const __m256i most = _mm256_set1_epi32(reach);
#pragma GCC unroll 6
  for (int p = 0; p < kPixels; p++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      const __m256i count = (__m256i)_mm512_cvtepi64_epi32(acc[p][v]);
      const __m256i dots = _mm256_sub_epi32(most, _mm256_add_epi32(count, count));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + p * out_step + 8 * v), dots);
    }
}
#endif

template <int kPixels, int kPanels>
static void tile(const Unit* image, long pixel_step, const long* taps, int tap_count, int units, const uint8_t* panel,
                 size_t, int outputs, int32_t reach, int32_t* out, long out_step) {
  const uint64_t* weights = reinterpret_cast<const uint64_t*>(panel);
#if defined(SIGNUM_AVX512)
  const auto run = [&](auto kernel) { kernel(image, pixel_step, taps, tap_count, units, weights, reach, out, out_step); };
  switch ((outputs + 7) / 8) {
    case 1: return run(vector_tile<kPixels, 1>);
    case 2: return run(vector_tile<kPixels, 2>);
    case 3: return run(vector_tile<kPixels, 3>);
    default: return run(vector_tile<kPixels, 4>);
  }
#else
  for (int p = 0; p < kPixels; p++) {
    int32_t sums[kPanel] = {};
    const uint64_t* w = weights;
    for (int t = 0; t < tap_count; t++) {
      const Unit* a = image + taps[t] + p * pixel_step;
      for (int u = 0; u < units; u++, w += kPanel)
        for (int o = 0; o < outputs; o++) sums[o] += __builtin_popcountll(a[u] ^ w[o]);
    }
    for (int o = 0; o < outputs; o++) out[p * out_step + o] = reach - 2 * sums[o];
  }
#endif
}

static double register_only(int rounds) {
#if defined(SIGNUM_AVX512)
  constexpr int kChains = 24;
  __m512i acc[kChains], word = _mm512_set1_epi64(0x5555);
  for (int i = 0; i < kChains; i++) acc[i] = _mm512_set1_epi64(i);
  for (int r = 0; r < rounds * 64; r++)
#pragma GCC unroll 24
    for (int i = 0; i < kChains; i++) {
      acc[i] = _mm512_add_epi64(acc[i], _mm512_popcnt_epi64(_mm512_xor_si512(word, acc[i])));
#if !defined(SIGNUM_EMULATE_AVX512)
      asm volatile("" : "+v"(acc[i]));
#endif
    }
  return 2.0 * 512 * kChains * 64 * rounds;
#else
  uint64_t acc[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (int r = 0; r < rounds * 64; r++)
    for (int i = 0; i < 8; i++) {
      acc[i] += __builtin_popcountll(acc[i] ^ 0x5555);
      asm volatile("" : "+r"(acc[i]));
    }
  return 2.0 * 64 * 8 * 64 * rounds;
#endif
}

constexpr int kMostUnits = 1 << 30;

}  // namespace xnor
