// Inner kernel without a population-count instruction (AVX2, NEON): "four Russians" over nibbles. Four activation bits choose a
// 16-byte table of popcount(activation xor i); a byte shuffle looks 32 outputs' weight nibbles up in it at once, which is xor and
// popcount in one instruction. Byte counters are flushed before they can overflow.
namespace xnor {

constexpr const char* kKernel = "nibble tables";

#if defined(__AVX2__)
constexpr int kBytes = 32;
typedef uint8_t Bytes __attribute__((vector_size(32), may_alias));
typedef uint8_t BytesUnaligned __attribute__((vector_size(32), aligned(1), may_alias));
static inline Bytes table_of(const uint8_t* tables, uint8_t offset) {
  return (Bytes)_mm256_broadcastsi128_si256(*reinterpret_cast<const __m128i*>(tables + offset));
}
static inline Bytes look_up(Bytes table, Bytes index) {
  return (Bytes)_mm256_shuffle_epi8((__m256i)table, (__m256i)index);
}
#elif defined(__aarch64__)
constexpr int kBytes = 16;
typedef uint8_t Bytes __attribute__((vector_size(16), may_alias));
typedef uint8_t BytesUnaligned __attribute__((vector_size(16), aligned(1), may_alias));
static inline Bytes table_of(const uint8_t* tables, uint8_t offset) { return (Bytes)vld1q_u8(tables + offset); }
static inline Bytes look_up(Bytes table, Bytes index) { return (Bytes)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)index); }
#endif

// sums[i] += bytes[i], as 16-bit counters
static inline void add_bytes(Bytes bytes, uint16_t* sums) {
#if defined(__AVX2__)
  __m256i* out = reinterpret_cast<__m256i*>(sums);
  const __m256i low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128((__m256i)bytes));
  const __m256i high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256((__m256i)bytes, 1));
  _mm256_store_si256(out, _mm256_add_epi16(_mm256_load_si256(out), low));
  _mm256_store_si256(out + 1, _mm256_add_epi16(_mm256_load_si256(out + 1), high));
#elif defined(__aarch64__)
  vst1q_u16(sums, vaddw_u8(vld1q_u16(sums), vget_low_u8((uint8x16_t)bytes)));
  vst1q_u16(sums + 8, vaddw_high_u8(vld1q_u16(sums + 8), (uint8x16_t)bytes));
#endif
}

constexpr int kPanel = 32;                       // outputs per panel
constexpr int kVectors = kPanel / kBytes;        // vectors per panel
constexpr int kFlush = 63;                       // 63 nibbles of at most 4 fit a byte
constexpr int kMostPixels = 4;
constexpr int kMostPanels = kBytes == 32 ? 2 : 1;
typedef uint8_t Unit;                            // an activation nibble, times 16: the offset of its table

static size_t units_per_row(int channels) { return (size_t(channels) + 3) / 4; }
static size_t panel_units(int taps, int channels) { return taps * units_per_row(channels) * kPanel; }

static inline void expand_row(const uint32_t* words, int channels, Unit* out) {
  const size_t units = units_per_row(channels);
  size_t u = 0;
  for (; u + 8 <= units; u += 8) {
    const uint32_t word = words[u / 8];
    for (int i = 0; i < 8; i++) out[u + i] = uint8_t(((word >> (4 * i)) & 15) << 4);
  }
  for (; u < units; u++) out[u] = uint8_t(((words[u / 8] >> (4 * (u & 7))) & 15) << 4);
}

static const uint8_t* nibble_tables() {
  alignas(64) static uint8_t tables[256];
  static const bool ready = [] {
    for (int a = 0; a < 16; a++)
      for (int i = 0; i < 16; i++) tables[a * 16 + i] = uint8_t(__builtin_popcount(a ^ i));
    return true;
  }();
  (void)ready;
  return tables;
}

// [tap][nibble][32 outputs] for one panel; rows(output) gives the packed filter of an output or null beyond the last.
template <class RowOf>
static void prepare_panel(int taps, int channels, const RowOf& row_of, uint8_t* out) {
  const size_t stride = words_per_row(channels), units = units_per_row(channels);
  for (int o = 0; o < kPanel; o++) {
    const uint32_t* row = row_of(o);
    for (int tap = 0; tap < taps; tap++)
      for (size_t u = 0; u < units; u++)
        out[(tap * units + u) * kPanel + o] = row ? (row[tap * stride + (u >> 3)] >> (4 * (u & 7))) & 15 : 0;
  }
}

// out[pixel*out_step + panel*32 + output] = reach - 2*popcount of the differences, for kPanels*32 outputs
template <int kPixels, int kPanels>
static void tile(const Unit* image, long pixel_step, const long* taps, int tap_count, int units, const uint8_t* weights,
                 size_t panel_size, int32_t reach, int32_t* out, long out_step) {
  constexpr int kAll = kPanels * kVectors;
  const uint8_t* tables = nibble_tables();
  alignas(32) uint16_t sums[kPixels][kAll * kBytes] = {};
  for (int t = 0, done = 0; t < tap_count;) {
    Bytes acc[kPixels][kAll] = {};
    for (int room = kFlush; room > 0 && t < tap_count;) {
      const Unit* a = image + taps[t] + done;
      const int steps = std::min(room, units - done);
      for (int s = 0; s < steps; s++, a++, weights += kPanel) {
        Bytes index[kAll];
#pragma GCC unroll 4
        for (int v = 0; v < kAll; v++)
          index[v] = *reinterpret_cast<const BytesUnaligned*>(weights + (v / kVectors) * panel_size + (v % kVectors) * kBytes);
#pragma GCC unroll 4
        for (int p = 0; p < kPixels; p++) {
          const Bytes table = table_of(tables, a[p * pixel_step]);
#pragma GCC unroll 4
          for (int v = 0; v < kAll; v++) acc[p][v] += look_up(table, index[v]);
        }
      }
      room -= steps;
      done += steps;
      if (done == units) done = 0, t++;
    }
#pragma GCC unroll 4
    for (int p = 0; p < kPixels; p++)
#pragma GCC unroll 4
      for (int v = 0; v < kAll; v++) add_bytes(acc[p][v], sums[p] + v * kBytes);
  }
  for (int p = 0; p < kPixels; p++)
    for (int o = 0; o < kPanels * kPanel; o++) out[p * out_step + o] = reach - 2 * int32_t(sums[p][o]);
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
