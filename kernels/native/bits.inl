// Packing float signs to bits and back; 32 channels make one word, rows start on whole 64-bit words.
namespace bits {

static inline uint32_t mask_of(VecInt lanes) {
#if defined(SIGNUM_AVX512)
  return _mm512_test_epi32_mask((__m512i)lanes, (__m512i)lanes);
#elif defined(__AVX2__)
  return uint32_t(_mm256_movemask_ps((__m256)lanes));
#else
  uint32_t mask = 0;
  for (int i = 0; i < kLanes; i++) mask |= uint32_t(lanes[i] & 1) << i;
  return mask;
#endif
}

static inline uint32_t existing(uint32_t mask, Whole) { return mask; }
static inline uint32_t existing(uint32_t mask, Part part) { return mask & ((1u << part.count) - 1); }
template <class Extent>
static inline uint32_t mask_of(VecInt lanes, Extent extent) { return existing(mask_of(lanes), extent); }

// a < b as bits; AVX-512 compares into a mask register, which the compiler's vector extension does not know
static inline uint32_t below(Vec a, Vec b) {
#if defined(SIGNUM_AVX512)
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
#else
  return mask_of((VecInt)(a < b));
#endif
}

struct Negative {
  const float* x;
  template <class Extent>
  uint32_t mask(int i, Extent e) const {
    return existing(below(load(x + i, e), broadcast(0)), e);
  }
  bool one(int i) const { return x[i] < 0; }
};
struct NegativeAffine {
  const float *x, *scale, *shift;
  template <class Extent>
  uint32_t mask(int i, Extent e) const {
    return existing(below(load(x + i, e) * load(scale + i, e) + load(shift + i, e), broadcast(0)), e);
  }
  bool one(int i) const { return x[i] * scale[i] + shift[i] < 0; }
};
struct Within {
  const float* x;
  float low, high;
  template <class Extent>
  uint32_t mask(int i, Extent e) const {
    const Vec v = load(x + i, e);
    return mask_of((VecInt)(v >= broadcast(low)) & (VecInt)(v <= broadcast(high)), e);
  }
  bool one(int i) const { return x[i] >= low && x[i] <= high; }
};

// 32 bits from 32 tests; the fixed-length loops become vector compares and one move-mask.
template <class Test>
static inline uint32_t word_of(const Test& negative) {
#if defined(SIGNUM_AVX512) || defined(__AVX2__)
  uint32_t word = 0;
  for (int part = 0; part < 32 / kLanes; part++) word |= negative.mask(part * kLanes, Whole{}) << (part * kLanes);
  return word;
#else
  uint32_t word = 0;
  for (int i = 0; i < 32; i++) word |= uint32_t(negative.one(i)) << i;
  return word;
#endif
}

// test_at(row, first channel) gives the tests of up to 32 channels from there on; it captures by value: what is behind a reference
// would be read again after every store.
template <class TestAt>
static void pack(uint32_t* words, int rows, int channels, const TestAt& test_of) {
  const size_t stride = words_per_row(channels);
  const size_t minimum = 1 + 65536 / (size_t(channels) + 1);
  blocks_backwards(rows, std::min<size_t>(256, minimum), minimum, [=](size_t begin, size_t end, int) {
    const int whole = channels / 32, rest = channels % 32;
    const TestAt test_at = test_of;
    for (size_t r = begin; r < end; r++) {
      uint32_t* out = words + r * stride;
      for (int word = 0; word < whole; word++) out[word] = word_of(test_at(r, word * 32));
      if (rest > 0) {
        const auto test = test_at(r, whole * 32);
        uint32_t last = 0;
        by_vectors(rest, [&](int i, auto e) { last |= test.mask(i, e) << i; });
        out[whole] = last;
      }
      // rows end on whole pairs of words; a loop here would become a call of memset for every row
      const size_t used = size_t(whole) + (rest > 0);
      if (used < stride) out[used] = 0;
    }
  });
}

static inline void unpack_row(const uint32_t* words, int channels, float* out) {
  constexpr int32_t kOne = 0x3f800000;
  VecInt shifts;
  for (int i = 0; i < kLanes; i++) shifts[i] = 31 - i;
  by_vectors(channels, [&](int c, auto e) {
    const int32_t part = int32_t(words[c >> 5] >> (c & 31));
    const VecInt sign = ((VecInt{} + part) << shifts) & int32_t(0x80000000);
    store(out + c, (Vec)(sign | kOne), e);
  });
}

}  // namespace bits

static void packSigns(Floats x, Words words, int rows, int channels) {
  require(x, matrix_size(rows, channels), "packSigns x");
  require(words, packed_size(rows, channels), "packSigns words");
  bits::pack(words.data, rows, channels,
             [from = x.data, channels](size_t r, int c) { return bits::Negative{from + r * channels + c}; });
}

static void packAffineSigns(Floats x, Floats scale, Floats shift, Words words, int rows, int channels) {
  require(x, matrix_size(rows, channels), "packAffineSigns x");
  require(scale, channels, "packAffineSigns scale");
  require(shift, channels, "packAffineSigns shift");
  require(words, packed_size(rows, channels), "packAffineSigns words");
  bits::pack(words.data, rows, channels, [from = x.data, channels, scale = scale.data, shift = shift.data](size_t r, int c) {
    return bits::NegativeAffine{from + r * channels + c, scale + c, shift + c};
  });
}

static void packWithin(Floats x, float low, float high, Words words, int rows, int channels) {
  require(x, matrix_size(rows, channels), "packWithin x");
  require(words, packed_size(rows, channels), "packWithin words");
  bits::pack(words.data, rows, channels,
             [from = x.data, channels, low, high](size_t r, int c) { return bits::Within{from + r * channels + c, low, high}; });
}

static void unpackSigns(Words words, Floats y, int rows, int channels) {
  require(words, packed_size(rows, channels), "unpackSigns words");
  require(y, matrix_size(rows, channels), "unpackSigns y");
  parallel_ranges(rows, 1 + 65536 / (size_t(channels) + 1), [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; r++)
      bits::unpack_row(words.data + r * words_per_row(channels), channels, y.data + r * channels);
  });
}

static void maskBits(Floats dy, Words words, Floats dx, int rows, int channels) {
  require(dy, matrix_size(rows, channels), "maskBits dy");
  require(words, packed_size(rows, channels), "maskBits words");
  require(dx, matrix_size(rows, channels), "maskBits dx");
  VecInt lane_bits;
  for (int i = 0; i < kLanes; i++) lane_bits[i] = 1 << i;
  parallel_ranges(rows, 1 + 65536 / (size_t(channels) + 1), [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; r++) {
      const uint32_t* row = words.data + r * words_per_row(channels);
      const float* from = dy.data + r * channels;
      float* out = dx.data + r * channels;
      by_vectors(channels, [&](int c, auto e) {
        const VecInt part = VecInt{} + int32_t(row[c >> 5] >> (c & 31));
        store(out + c, select((VecInt)((part & lane_bits) != 0), load(from + c, e), Vec{}), e);
      });
    }
  });
}

static void packFilterSigns(Floats w, Words words, int taps, int in_channels, int out_channels) {
  for (const int count : {taps, in_channels, out_channels}) expect(count >= 1, "packFilterSigns", "a count is below 1");
  expect_countable("packFilterSigns", {taps, int64_t(in_channels) + 64, out_channels});
  const size_t stride = words_per_row(in_channels);
  require(w, size_t(taps) * in_channels * out_channels, "packFilterSigns w");
  require(words, size_t(out_channels) * taps * stride, "packFilterSigns words");
  std::memset(words.data, 0, sizeof(uint32_t) * out_channels * taps * stride);
  parallel_ranges(taps, 1, [&](size_t begin, size_t end, int) {
    for (size_t tap = begin; tap < end; tap++)
      for (int first = 0; first < in_channels; first += 32)
        by_vectors(out_channels, [&](int co, auto extent) {
          // a whole word of each filter, one per lane
          VecInt word = {};
          for (int i = 0; i < std::min(32, in_channels - first); i++) {
            const float* from = w.data + (tap * in_channels + first + i) * out_channels + co;
            word |= (VecInt)(load(from, extent) < Vec{}) & int32_t(1u << i);
          }
          for (int lane = 0; lane < std::min(kLanes, out_channels - co); lane++)
            words.data[(size_t(co + lane) * taps + tap) * stride + first / 32] = uint32_t(word[lane]);
        });
  });
}
