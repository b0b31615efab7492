// Inner kernel with a 64-bit population count: AVX-512 VPOPCNTDQ holds 8 outputs per vector and broadcasts activation words, 6
// pixels by 4 vectors of accumulators; the scalar form is the same loop one output at a time.
namespace xnor {

constexpr int kPanel = 32;
constexpr int kMostPanels = 1;
typedef uint64_t Unit;
typedef TileOf<Unit> Tile;

#if defined(SIGNUM_AVX512)
constexpr const char* kKernel = "vpopcntq";
constexpr int kMostPixels = 6;
#else
constexpr const char* kKernel = "scalar popcount";
constexpr int kMostPixels = 1;
#endif

static size_t units_per_row(int channels) { return words_per_row(channels) / 2; }

// Neighbouring taps of a narrow layer share a word: 16 channels would fill a quarter of one, and cost as much as 64.
static bool taps_share(const ConvGeometry& g) { return g.dilation == 1 && g.kernel_width * g.group_in() <= 64; }
// Of a row of the filter.
static size_t run_units(const ConvGeometry& g) { return taps_share(g) ? 1 : g.kernel_width * units_per_row(g.group_in()); }
static size_t panel_bytes(const ConvGeometry& g) { return g.kernel_height * run_units(g) * kPanel * sizeof(Unit); }

// words of pixels as they are: a unit is two of them
static inline void expand_pixels(const uint32_t* words, int pixels, int channels, Unit* out) {
  std::memcpy(out, words, size_t(pixels) * units_per_row(channels) * sizeof(Unit));
}

// Every pixel's word takes in those right of it that the filter's row meets there; behind `out` lies a zero.
static inline void finish_image(const ConvGeometry& g, Unit* out, size_t count, size_t) {
  if (!taps_share(g) || g.kernel_width == 1) return;
  const int channels = g.group_in();
  for (int tap = 1; tap < g.kernel_width; tap++)
    for (size_t i = 0; i < count; i++) out[i] |= out[i + 1] << channels;
}

// [word of a filter's row, row after row][32 outputs]
template <class RowOf>
static void prepare_panel(const ConvGeometry& g, const RowOf& row_of, uint8_t* bytes) {
  uint64_t* out = reinterpret_cast<uint64_t*>(bytes);
  const size_t words = g.taps() * units_per_row(g.group_in());
  const int shared = taps_share(g) ? g.kernel_width : 1, channels = g.group_in();
  std::memset(out, 0, panel_bytes(g));
  for (int o = 0; o < kPanel; o++) {
    const uint32_t* row = row_of(o);
    for (size_t w = 0; row && w < words; w++)
      out[w / shared * kPanel + o] |= (row[2 * w] | uint64_t(row[2 * w + 1]) << 32) << (w % shared * channels);
  }
}

#if defined(SIGNUM_AVX512)
// kVectors of 8 outputs: narrow layers pay for no more than they have
template <int kPixels, int kVectors, class Emit>
static void vector_tile(const Tile& t, const Emit& emit) {
  __m512i acc[kPixels][kVectors + kVectors % 2];
#pragma GCC unroll 6
  for (int p = 0; p < kPixels; p++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors + kVectors % 2; v++) acc[p][v] = _mm512_setzero_si512();
  const uint64_t* weights = reinterpret_cast<const uint64_t*>(t.weights);
  const int units = t.runs.units;
  for (const long start : t.runs.starts) {
    const Unit* a = t.image + start;
    for (int u = 0; u < units; u++, weights += kPanel) {
      __m512i w[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) w[v] = _mm512_loadu_si512(weights + 8 * v);
#pragma GCC unroll 6
      for (int p = 0; p < kPixels; p++) {
        const __m512i word = _mm512_set1_epi64((long long)a[p * t.pixel_step + u]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++)
          acc[p][v] = _mm512_add_epi64(acc[p][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, w[v])));
      }
    }
  }
  const __m512i low_halves = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; v += 2)
    emit_vector<kPixels>(
        t, 8 * v, [&](int p) { return (VecInt)_mm512_permutex2var_epi32(acc[p][v], low_halves, acc[p][v + 1]); }, emit);
}
#endif

template <int kPixels, int kPanels, class Emit>
static void tile(const Tile& t, const Emit& emit) {
#if defined(SIGNUM_AVX512)
  switch ((t.channels + 7) / 8) {
    case 1: return vector_tile<kPixels, 1>(t, emit);
    case 2: return vector_tile<kPixels, 2>(t, emit);
    case 3: return vector_tile<kPixels, 3>(t, emit);
    default: return vector_tile<kPixels, 4>(t, emit);
  }
#else
  int32_t sums[kPixels][kPanel] = {};
  for (int p = 0; p < kPixels; p++) {
    const uint64_t* w = reinterpret_cast<const uint64_t*>(t.weights);
    for (const long start : t.runs.starts) {
      const Unit* a = t.image + start + p * t.pixel_step;
      for (int u = 0; u < t.runs.units; u++, w += kPanel)
        for (int o = 0; o < t.channels; o++) sums[p][o] += __builtin_popcountll(a[u] ^ w[o]);
    }
  }
  for (int o = 0; o < t.channels; o += kLanes)
    emit_vector<kPixels>(t, o, [&](int p) { return load(sums[p] + o, Whole{}); }, emit);
#endif
}

static double register_only(int rounds) {
#if defined(SIGNUM_AVX512)
  // the inner loop of a whole tile on registers alone
  __m512i acc[kMostPixels][4] = {}, w[4], word = _mm512_set1_epi64(0x5555);
#pragma GCC unroll 4
  for (int v = 0; v < 4; v++) w[v] = _mm512_set1_epi64(v);
  for (int r = 0; r < rounds * 64; r++)
#pragma GCC unroll 6
    for (int p = 0; p < kMostPixels; p++) {
#if !defined(SIGNUM_EMULATE_AVX512)
      asm volatile("" : "+v"(word));
#endif
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) acc[p][v] = _mm512_add_epi64(acc[p][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, w[v])));
    }
#if !defined(SIGNUM_EMULATE_AVX512)
#pragma GCC unroll 6
  for (int p = 0; p < kMostPixels; p++)
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) asm volatile("" : "+v"(acc[p][v]));
#endif
  return 2.0 * 512 * 4 * kMostPixels * 64 * rounds;
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
