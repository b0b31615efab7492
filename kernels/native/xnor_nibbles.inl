// Inner kernel without a population-count instruction (AVX2, NEON): "four Russians" over nibbles. Four bits of each of two
// neighbouring output pixels choose a 16-byte table, entry i of which holds popcount(a xor i) + 16 popcount(b xor i); a byte shuffle
// looks 32 outputs' weight nibbles up in it, which is xor and popcount of two pixels in one instruction. Three look-ups are added
// before the two halves (at most 12 each) are separated; byte counters are flushed before they can overflow.
namespace xnor {

constexpr const char* kKernel = "nibble tables";

#if defined(__AVX2__)
constexpr int kBytes = 32;
typedef uint8_t Bytes __attribute__((vector_size(32), may_alias));
typedef uint8_t BytesUnaligned __attribute__((vector_size(32), aligned(1), may_alias));
static inline Bytes table_of(const uint8_t* tables, uint16_t offset) {
  return (Bytes)_mm256_broadcastsi128_si256(*reinterpret_cast<const __m128i*>(tables + offset));
}
static inline Bytes look_up(Bytes table, Bytes index) {
  return (Bytes)_mm256_shuffle_epi8((__m256i)table, (__m256i)index);
}
#elif defined(__aarch64__)
constexpr int kBytes = 16;
typedef uint8_t Bytes __attribute__((vector_size(16), may_alias));
typedef uint8_t BytesUnaligned __attribute__((vector_size(16), aligned(1), may_alias));
static inline Bytes table_of(const uint8_t* tables, uint16_t offset) { return (Bytes)vld1q_u8(tables + offset); }
static inline Bytes look_up(Bytes table, Bytes index) { return (Bytes)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)index); }
#endif

// sums[i] = bytes[i] (+ sums[i] unless first), as 16-bit counters
static inline void add_bytes(Bytes bytes, uint16_t* sums, bool first) {
#if defined(__AVX2__)
  __m256i* out = reinterpret_cast<__m256i*>(sums);
  __m256i low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128((__m256i)bytes));
  __m256i high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256((__m256i)bytes, 1));
  if (!first) {
    low = _mm256_add_epi16(low, _mm256_load_si256(out));
    high = _mm256_add_epi16(high, _mm256_load_si256(out + 1));
  }
  _mm256_store_si256(out, low);
  _mm256_store_si256(out + 1, high);
#elif defined(__aarch64__)
  uint16x8_t low = vmovl_u8(vget_low_u8((uint8x16_t)bytes)), high = vmovl_high_u8((uint8x16_t)bytes);
  if (!first) {
    low = vaddq_u16(low, vld1q_u16(sums));
    high = vaddq_u16(high, vld1q_u16(sums + 8));
  }
  vst1q_u16(sums, low);
  vst1q_u16(sums + 8, high);
#endif
}

constexpr int kPanel = 32;                     // outputs per panel
constexpr int kVectors = kPanel / kBytes;      // vectors per panel
constexpr int kFlush = 63;                     // 63 nibbles of at most 4 fit a byte
constexpr int kMostPixels = 4;
constexpr int kMostPanels = kBytes == 32 ? 2 : 1;
typedef uint16_t Unit;                         // a pair of activation nibbles, times 16: the offset of its table
typedef TileOf<Unit> Tile;

static size_t units_per_row(int channels) { return (size_t(channels) + 3) / 4; }
// Of a row of the filter.
static size_t run_units(const ConvGeometry& g) { return g.kernel_width * units_per_row(g.group_in()); }
static size_t panel_bytes(const ConvGeometry& g) { return g.kernel_height * run_units(g) * kPanel; }

static inline void expand_row(const uint32_t* words, int channels, Unit* out) {
  const size_t units = units_per_row(channels);
  size_t u = 0;
  for (; u + 8 <= units; u += 8) {
    const uint32_t word = words[u / 8];
    for (int i = 0; i < 8; i++) out[u + i] = uint16_t(((word >> (4 * i)) & 15) << 4);
  }
  for (; u < units; u++) out[u] = uint16_t(((words[u / 8] >> (4 * (u & 7))) & 15) << 4);
}

static inline void expand_pixels(const uint32_t* words, int pixels, int channels, Unit* out) {
  for (int i = 0; i < pixels; i++) expand_row(words + i * words_per_row(channels), channels, out + i * units_per_row(channels));
}

// Joins every unit with the one of the next output pixel, `step` units on; `out` has that many zero units behind it.
static inline void finish_image(const ConvGeometry&, Unit* out, size_t count, size_t step) {
  for (size_t i = 0; i < count; i++) out[i] = uint16_t(out[i] | (out[i + step] << 4));
}

static const uint8_t* nibble_tables() {
  alignas(64) static uint8_t tables[4096];
  static const bool ready = [] {
    for (int pair = 0; pair < 256; pair++)
      for (int i = 0; i < 16; i++)
        tables[pair * 16 + i] = uint8_t(__builtin_popcount((pair & 15) ^ i) + 16 * __builtin_popcount((pair >> 4) ^ i));
    return true;
  }();
  (void)ready;
  return tables;
}

// [tap][nibble][32 outputs] for one panel; rows(output) gives the packed filter of an output or null beyond the last.
template <class RowOf>
static void prepare_panel(const ConvGeometry& g, const RowOf& row_of, uint8_t* out) {
  const size_t stride = words_per_row(g.group_in()), units = units_per_row(g.group_in());
  for (int o = 0; o < kPanel; o++) {
    const uint32_t* row = row_of(o);
    for (int tap = 0; tap < g.taps(); tap++)
      for (size_t u = 0; u < units; u++)
        out[(tap * units + u) * kPanel + o] = row ? (row[tap * stride + (u >> 3)] >> (4 * (u & 7))) & 15 : 0;
  }
}

static inline Bytes high_half(Bytes pair) {
#if defined(__AVX2__)
  return (Bytes)_mm256_and_si256(_mm256_srli_epi16((__m256i)pair, 4), _mm256_set1_epi8(15));
#elif defined(__aarch64__)
  return (Bytes)vshrq_n_u8((uint8x16_t)pair, 4);
#endif
}

// Adds `kSteps` (at most 3) nibbles to the counters: `both` modulo 256 counts low + 16 high, `high` the second pixel alone.
template <int kSteps, int kPairs, int kAll>
static inline __attribute__((always_inline)) void count(const Unit* a, long pair_step, const uint8_t* weights, size_t panel_size,
                                                       const uint8_t* tables, Bytes (&both)[kPairs][kAll],
                                                       Bytes (&high)[kPairs][kAll]) {
  // one pair after the other: the sums of all pairs at once would not fit the 16 registers of AVX2
#pragma GCC unroll 4
  for (int p = 0; p < kPairs; p++) {
    Bytes sum[kAll] = {};
#pragma GCC unroll 3
    for (int s = 0; s < kSteps; s++) {
      const Bytes table = table_of(tables, a[p * pair_step + s]);
#pragma GCC unroll 4
      for (int v = 0; v < kAll; v++) {
        const uint8_t* from = weights + s * kPanel + (v / kVectors) * panel_size + (v % kVectors) * kBytes;
        sum[v] += look_up(table, *reinterpret_cast<const BytesUnaligned*>(from));
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kAll; v++) {
      both[p][v] += sum[v];
      high[p][v] += high_half(sum[v]);
    }
  }
}

template <int kPixels, int kPanels, class Emit>
static void tile(const Tile& at, const Emit& emit) {
  constexpr int kAll = kPanels * kVectors, kPairs = (kPixels + 1) / 2;
  const uint8_t* tables = nibble_tables();
  const long pair_step = 2 * at.pixel_step;
  const uint8_t* weights = at.weights;
  const int run_count = int(at.runs.starts.size()), units = at.runs.units;
  alignas(32) uint16_t sums[2 * kPairs][kAll * kBytes];
  bool first = true;
  for (int t = 0, done = 0; t < run_count;) {
    Bytes both[kPairs][kAll] = {}, high[kPairs][kAll] = {};
    for (int room = kFlush; room > 0 && t < run_count;) {
      const Unit* a = at.image + at.runs.starts[t] + done;
      const int steps = std::min(room, units - done);
      int s = 0;
      for (; s + 3 <= steps; s += 3, a += 3, weights += 3 * kPanel)
        count<3>(a, pair_step, weights, at.panel_bytes, tables, both, high);
      for (; s < steps; s++, a++, weights += kPanel) count<1>(a, pair_step, weights, at.panel_bytes, tables, both, high);
      room -= steps;
      done += steps;
      if (done == units) done = 0, t++;
    }
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; p++)
#pragma GCC unroll 4
      for (int v = 0; v < kAll; v++) {
        add_bytes(both[p][v] - (high[p][v] << 4), sums[2 * p] + v * kBytes, first);
        add_bytes(high[p][v], sums[2 * p + 1] + v * kBytes, first);
      }
    first = false;
  }
  for (int o = 0; o < at.channels; o += kLanes) {
    const auto counts_of = [&](int p) {
      VecInt counts;
      for (int i = 0; i < kLanes; i++) counts[i] = sums[p][o + i];
      return counts;
    };
    emit_vector<kPixels>(at, o, counts_of, emit);
  }
}

static double register_only(int rounds) {
  constexpr int kChains = 8;
  Bytes acc[kChains] = {}, table = Bytes{} + uint8_t(1);
  for (int r = 0; r < rounds * 64; r++)
#pragma GCC unroll 8
    for (int i = 0; i < kChains; i++) {
      acc[i] += look_up(table, acc[i] & acc[i]);
      asm volatile("" : "+x"(acc[i]));
    }
  return 2.0 * 4 * kBytes * kChains * 64 * rounds;
}

constexpr int kMostUnits = 65535 / 4;  // beyond it the 16-bit sums could overflow

}  // namespace xnor
