// Convolution of floats by a filter of signs with stride 1, and the same with the filter turned round: the gradient of a binary
// convolution's input. Rows of the image become tables of the signed sums of four channels (sign_sums.inl); an output row adds one
// entry for every (tap, four channels), vectors running along the row.
namespace sign_sums {

constexpr int kOutputs = 8;  // output channels whose row stays in registers, by up to two vectors of pixels
constexpr int kLeastPart = 4;  // positions of a vector that one image gets at least: rows are transposed by four
constexpr size_t kTableShare = 24 * 1024;  // of L1
constexpr int kGroupVectors = kLanes < kSumLanes ? 2 : 1;  // that grouped rows of narrow images fill; more than kSumLanes positions would not fit L1

struct FilterBits {
  const uint32_t* words;  // [output channel][tap][words(input channels)]
  int taps;
  size_t stride;
  int negative(int out, int tap, int in) const { return (words[(size_t(out) * taps + tap) * stride + (in >> 5)] >> (in & 31)) & 1; }
};

// Output pixel (y, x) adds, for each tap, the input pixel (y + row, x + column).
struct Plan {
  struct Tap { int index, row, column; };
  int in_height, in_width, in_channels, out_height, out_width, out_channels;
  const float *in_scale, *out_scale;  // per channel, or null
  std::vector<Tap> taps;              // those of one column next to each other
  // filled by `complete`
  int group = 1;             // images whose rows lie side by side, so that narrow rows fill up to two vectors
  int parts = 1;             // of a vector, each of another image: 1, 2 or 4
  int pitch = 0;             // positions of one image's row: whole vectors, or one part
  int positions = 0;         // of a group's row
  int quads = 0, tiles = 0;  // fours of input channels; kOutputs of output channels
  int first_row = 0, ring = 0;            // rows of tables that an output row needs
  int origin = 0, sums_pitch = 0;         // where output column 0 of an image lies in a row of sums, and the room of an image
  int quad_block = 0;                     // quads whose tables of all rows stay in L1
  size_t table_size = 0, row_size = 0, code_tile = 0;
  std::vector<int> places;  // where each part of a vector of positions belongs in a row of sums

  void complete(int batch) {
    int low_row = 0, high_row = 0, low = 0, high = 0;
    for (const Tap& tap : taps) {
      low_row = std::min(low_row, tap.row), high_row = std::max(high_row, tap.row);
      low = std::min(low, tap.column), high = std::max(high, tap.column);
    }
    if (batch > 1)
      while (kLanes / (2 * parts) >= std::max(in_width, kLeastPart)) parts *= 2;
    pitch = round_up(in_width, kLanes / parts), group = pitch <= kLanes && batch > 1 ? kGroupVectors * parts : 1, positions = group * pitch;
    quads = (in_channels + kSigns - 1) / kSigns, tiles = (out_channels + kOutputs - 1) / kOutputs;
    first_row = low_row, ring = high_row - low_row + 1;
    origin = high, sums_pitch = round_up(origin + std::max(pitch - low, out_width) + kSigns, kLanes);
    table_size = size_t(kEntries) * positions, row_size = quads * table_size;
    // as if narrow rows were always grouped and vectors the widest: the order of additions depends on neither batch nor instruction set
    quad_block = std::max(1, int(kTableShare / (sizeof(float) * kEntries * round_up(in_width, kSumLanes) * ring)));
    code_tile = taps.size() * quads * kOutputs;
    for (int position = 0; position < round_up(positions, kLanes); position += kLanes / parts)
      places.push_back(position / pitch * sums_pitch + position % pitch);
  }
  bool fits() const { return table_size <= 65536; }
};

struct Entry {
  const float* table;
  const uint16_t* codes;
  int column;
};

template <int kCount>
struct PartOf {
  typedef float type __attribute__((vector_size(kCount * 4), aligned(4), may_alias));
};

// sums[o][...] += the entries of `quads` looked-up vectors each; to[i] is where the i-th part of an output's row belongs
template <int kVectors, int kParts>
static void add_entries(const Entry* entries, int count, int quads, size_t table_size, size_t at, size_t code_at, float* const to[],
                        size_t row) {
  Vec acc[kOutputs][kVectors] = {};
  for (int e = 0; e < count; e++) {
    const float* table = entries[e].table + at;
    const uint16_t* code = entries[e].codes + code_at;
    for (int q = 0; q < quads; q++, table += table_size, code += kOutputs) {
      uint64_t word = 0;
#pragma GCC unroll 8
      for (int o = 0; o < kOutputs; o++) {
        if (o % 4 == 0) std::memcpy(&word, code + o, sizeof word);
        const float* entry = table + (word & 65535);
        word >>= 16;
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) acc[o][v] += load(entry + v * kLanes);
      }
    }
  }
  constexpr int kWidth = kLanes / kParts;
  typedef typename PartOf<kWidth>::type Part;
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; v++)
#pragma GCC unroll 8
    for (int o = 0; o < kOutputs; o++) {
      Part parts[kParts];
      std::memcpy(parts, &acc[o][v], sizeof(Vec));
#pragma GCC unroll 4
      for (int i = 0; i < kParts; i++) *reinterpret_cast<Part*>(to[v * kParts + i] + o * row) += parts[i];
    }
}

class SignConvolution {
 public:
  // negative(output channel, tap, input channel) is the sign bit of a weight
  template <class Negative>
  SignConvolution(const Plan& plan, const Negative& negative) : p(plan) {
    codes = scratch<uint16_t>(Scratch::kFilter, 0, p.code_tile * p.tiles);
    std::memset(codes, 0, sizeof(uint16_t) * p.code_tile * p.tiles);
    parallel_ranges(p.tiles, 1, [&](size_t begin, size_t end, int) {
      for (size_t tile = begin; tile < end; tile++)
        for (size_t t = 0; t < p.taps.size(); t++)
          for (int c = 0; c < p.in_channels; c++)
            for (int o = 0; o < std::min(kOutputs, p.out_channels - int(tile) * kOutputs); o++)
              codes[tile * p.code_tile + (t * p.quads + c / kSigns) * kOutputs + o] +=
                  uint16_t(negative(int(tile) * kOutputs + o, p.taps[t].index, c) * p.positions << (c % kSigns));
    });
  }

  void run(int batch, const float* in, float* out) const {
    const size_t groups = (batch + p.group - 1) / p.group, in_row = size_t(p.in_width) * p.in_channels, out_row = size_t(p.out_width) * p.out_channels;
    parallel_ranges(groups * p.out_height, 1, [&](size_t begin, size_t end, int thread) {
      float* tables = scratch<float>(Scratch::kTile, thread, p.row_size * p.ring);
      int tabled = 0;  // input rows before this one are in the ring
      for (size_t i = begin; i < end; i++) {
        // from the last images on: `blocks_backwards` says why
        const int first = int(groups - 1 - i / p.out_height) * p.group, images = std::min(p.group, batch - first);
        const int y = int(i % p.out_height), needed = y + p.first_row;
        if (i == begin || y == 0) tabled = std::max(0, needed);
        for (; tabled < std::min(p.in_height, needed + p.ring); tabled++)
          build_tables(in, first, images, tabled, thread, tables + tabled % p.ring * p.row_size);
        for (int n = 0; n < images; n++) {
          prefetch(in + (size_t(first + n) * p.in_height + tabled) * in_row, in_row);
          prefetch<true>(out + (size_t(first + n) * p.out_height + y) * out_row, out_row);
        }
        compute_row(y, first, images, tables, thread, out);
      }
    });
  }

 private:
  const Plan& p;
  uint16_t* codes;  // table offsets: [tile of outputs][tap][quad][kOutputs]

  void build_tables(const float* in, int first, int images, int y, int thread, float* tables) const {
    const int channels = p.quads * kSigns;
    // whole vectors of pixels and whole fours of channels are turned on their way, without a detour through memory
    if (p.in_width % kLanes == 0 && p.in_channels == channels && p.parts == 1) return build_whole_tables(in, first, images, y, tables);
    float* planes = scratch<float>(Scratch::kImage, thread, size_t(kSigns) * p.positions);
    const float beyond[kSigns] = {};
    for (int q = 0; q < p.quads; q++, tables += p.table_size) {
      std::memset(planes, 0, sizeof(float) * kSigns * p.positions);
      for (int n = 0; n < images; n++) {
        const float* row = in + (size_t(first + n) * p.in_height + y) * p.in_width * p.in_channels + q * kSigns;
        for (int x = 0; x < p.in_width; x += 4) {
          const float* from[4];
          float part[4][kSigns] = {};
          for (int i = 0; i < 4; i++) {
            from[i] = x + i < p.in_width ? row + size_t(x + i) * p.in_channels : beyond;
            if (q == p.quads - 1 && p.in_channels < channels && x + i < p.in_width) {
              std::memcpy(part[i], from[i], sizeof(float) * (p.in_channels - q * kSigns));
              from[i] = part[i];
            }
          }
          transpose4(from, planes + n * p.pitch + x, p.positions);
        }
      }
      Vec scale[kSigns];
      for (int i = 0; i < kSigns; i++)
        scale[i] = broadcast(p.in_scale && q * kSigns + i < p.in_channels ? p.in_scale[q * kSigns + i] : 1);
      for (int x = 0; x < p.positions; x += kLanes) {
        Vec v[kSigns];
        for (int i = 0; i < kSigns; i++) v[i] = load(planes + size_t(i) * p.positions + x) * scale[i];
        table_of(v[0], v[1], v[2], v[3], tables + x, p.positions);
      }
    }
  }

  void build_whole_tables(const float* in, int first, int images, int y, float* tables) const {
    const int quads = p.quads, width = p.in_width, positions = p.positions;
    const size_t pixel = p.in_channels, row = size_t(width) * pixel, image = row * p.in_height, table = p.table_size;
    const float *scales = p.in_scale, *from = in + first * image + y * row;
    for (int q = 0; q < quads; q++) {
      float* out = tables + q * table;
      Vec scale[kSigns];
      for (int i = 0; i < kSigns; i++) scale[i] = broadcast(scales ? scales[q * kSigns + i] : 1);
      for (int n = 0; n < images; n++)
        for (int x = 0; x < width; x += kLanes) {
          Vec v[kSigns];
          load_transposed(from + n * image + x * pixel + q * kSigns, pixel, v);
          table_of(v[0] * scale[0], v[1] * scale[1], v[2] * scale[2], v[3] * scale[3], out + n * width + x, positions);
        }
      // images that the last group lacks
      for (int x = images * width; x < positions; x += kLanes) table_of(Vec{}, Vec{}, Vec{}, Vec{}, out + x, positions);
    }
  }

  // All look-ups stay at aligned positions of the input row; a column's sums are shifted once, when they join the others.
  void compute_row(int y, int first, int images, const float* tables, int thread, float* out) const {
    const size_t row = size_t(p.group) * p.sums_pitch, sums_size = size_t(p.tiles) * kOutputs * row;
    float* sums = scratch<float>(Scratch::kPartial, thread, sums_size);
    clear(sums, sums_size);
    // taps whose row is inside the image, by columns
    Entry* entries = scratch<Entry>(Scratch::kDots, thread, p.taps.size());
    int inside = 0;
    for (size_t t = 0; t < p.taps.size(); t++) {
      const int from = y + p.taps[t].row;
      if (from >= 0 && from < p.in_height)
        entries[inside++] = {tables + from % p.ring * p.row_size, codes + t * p.quads * kOutputs, p.taps[t].column};
    }
    for (int quad = 0; quad < p.quads; quad += p.quad_block) {
      const int quads = std::min(p.quad_block, p.quads - quad);
      for (int tile = 0; tile < p.tiles; tile++)
        for (int e = 0, next; e < inside; e = next) {
          const int column = entries[e].column;
          for (next = e + 1; next < inside && entries[next].column == column; next++) {}
          float* to = sums + size_t(tile) * kOutputs * row + p.origin - column;
          const size_t first_table = quad * p.table_size, first_code = tile * p.code_tile + size_t(quad) * kOutputs;
          const auto add = [&](int x, auto vectors, auto parts) {
            float* places[vectors * parts];
            for (int i = 0; i < vectors * parts; i++) places[i] = to + p.places[x / (kLanes / parts) + i];
            add_entries<vectors, parts>(entries + e, next - e, quads, p.table_size, first_table + x, first_code, places, row);
          };
          as_constant<kLanes / kLeastPart>(p.parts, [&](auto parts) {
            int x = 0;
            for (; x + kLanes < p.positions; x += 2 * kLanes) add(x, std::integral_constant<int, 2>{}, parts);
            if (x < p.positions) add(x, std::integral_constant<int, 1>{}, parts);
          });
        }
    }
    if (p.out_scale)
      for (int c = 0; c < p.out_channels; c++)
        for (size_t x = 0; x < row; x += kLanes) {
          float* at = sums + c * row + x;
          store(at, load(at) * p.out_scale[c]);
        }
    for (int n = 0; n < images; n++)
      write_row(sums + n * p.sums_pitch + p.origin, row,
                out + (size_t(first + n) * p.out_height + y) * p.out_width * p.out_channels);
  }

  // [channel][pixel] to [pixel][channel]
  void write_row(const float* sums, size_t row, float* out) const {
    const int channels = p.out_channels, width = p.out_width;
    const size_t pixel = channels;
    int x = 0;
    if (channels % 4 == 0)
      for (; x + kLanes <= width; x += kLanes)
        for (int c = 0; c < channels; c += 4) store_transposed(sums + c * row + x, row, out + x * pixel + c, pixel);
    for (; x < width; x += 4)
      for (int c = 0; c < channels; c += 4) {
        const float* from[4] = {sums + c * row + x, sums + (c + 1) * row + x, sums + (c + 2) * row + x, sums + (c + 3) * row + x};
        float* to = out + x * pixel + c;
        if (c + 4 <= channels && x + 4 <= width) {
          transpose4(from, to, pixel);
          continue;
        }
        for (int i = 0; i < std::min(4, width - x); i++)
          for (int k = 0; k < std::min(4, channels - c); k++) to[i * pixel + k] = from[k][i];
      }
  }
};

// Float filter [taps][in][out] of the signs, for the convolutions that have no plan here.
static Floats effective_filter(const ConvGeometry& g, Words filter, Floats alpha) {
  const FilterBits bits{filter.data, g.taps(), words_per_row(g.group_in())};
  const Floats floats{scratch<float>(Scratch::kGradient, 0, g.filter_size()), g.filter_size()};
  for (int tap = 0; tap < g.taps(); tap++)
    for (int ci = 0; ci < g.group_in(); ci++)
      for (int co = 0; co < g.out_channels; co++)
        floats.data[(size_t(tap) * g.group_in() + ci) * g.out_channels + co] =
            bits.negative(co, tap, ci) ? -alpha.data[co] : alpha.data[co];
  return floats;
}

// Rows of one or two pixels leave most of a vector empty; strided ones share no tables: multiply-adds win there. (The choice must not
// depend on the batch: a packed network answers for one image as for many, to the bit.)
static bool worthwhile(const ConvGeometry& g, const Plan& plan) {
  return g.groups == 1 && g.stride == 1 && 2 * plan.in_width > kLeastPart && plan.fits();
}

}  // namespace sign_sums

static void conv2dSigns(Floats x, Words filter, Floats alpha, Floats y, Ints geometry) {
  using namespace sign_sums;
  const ConvGeometry g(geometry);
  const FilterBits bits{filter.data, g.taps(), words_per_row(g.group_in())};
  require(x, g.in_size(), "conv2dSigns x");
  require(filter, g.out_channels * g.taps() * bits.stride, "conv2dSigns filter");
  require(alpha, g.out_channels, "conv2dSigns alpha");
  require(y, g.out_size(), "conv2dSigns y");
  Plan plan{g.height, g.width, g.in_channels, g.out_height, g.out_width, g.out_channels, nullptr, alpha.data, {}};
  for (int kx = 0; kx < g.kernel_width; kx++)
    for (int ky = 0; ky < g.kernel_height; ky++)
      plan.taps.push_back({ky * g.kernel_width + kx, ky * g.dilation - g.pad, kx * g.dilation - g.pad});
  plan.complete(g.batch);
  if (!worthwhile(g, plan)) return conv2d(x, effective_filter(g, filter, alpha), y, geometry);
  SignConvolution(plan, [&](int out, int tap, int in) { return bits.negative(out, tap, in); }).run(g.batch, x.data, y.data);
}

static void conv2dBackwardInputSigns(Floats dy, Words filter, Floats alpha, Floats dx, Ints geometry) {
  using namespace sign_sums;
  const ConvGeometry g(geometry);
  const FilterBits bits{filter.data, g.taps(), words_per_row(g.group_in())};
  require(dy, g.out_size(), "conv2dBackwardInputSigns dy");
  require(filter, g.out_channels * g.taps() * bits.stride, "conv2dBackwardInputSigns filter");
  require(alpha, g.out_channels, "conv2dBackwardInputSigns alpha");
  require(dx, g.in_size(), "conv2dBackwardInputSigns dx");
  Plan plan{g.out_height, g.out_width, g.out_channels, g.height, g.width, g.in_channels, alpha.data, nullptr, {}};
  for (int kx = 0; kx < g.kernel_width; kx++)
    for (int ky = 0; ky < g.kernel_height; ky++)
      plan.taps.push_back({ky * g.kernel_width + kx, g.pad - ky * g.dilation, g.pad - kx * g.dilation});
  plan.complete(g.batch);
  if (!worthwhile(g, plan)) return conv2dBackwardInput(dy, effective_filter(g, filter, alpha), dx, geometry);
  SignConvolution(plan, [&](int out, int tap, int in) { return bits.negative(in, tap, out); }).run(g.batch, dy.data, dx.data);
}
