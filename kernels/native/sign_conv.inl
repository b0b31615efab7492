// Convolution of floats by a filter of signs, and the same with the filter turned round: the gradient of a binary convolution's input.
// Rows of the image become tables of the signed sums of four channels (sign_sums.inl); an output row adds one entry for every
// (tap, four channels), vectors running along the row.
namespace sign_sums {

constexpr size_t kTableShare = 20 * 1024;
constexpr int kOutputs = 8;  // output channels whose row stays in registers, by up to two vectors of pixels

struct FilterBits {
  const uint32_t* words;  // [output channel][tap][words(input channels)]
  int taps;
  size_t stride;
  int negative(int out, int tap, int in) const { return (words[(size_t(out) * taps + tap) * stride + (in >> 5)] >> (in & 31)) & 1; }
};

// One convolution over an image of `in_channels`: output (j*out_step + phase.y, i*out_step + phase.x) adds, for each tap, the input
// pixel (j*in_step + tap.row, i*in_step + tap.column).
struct Plan {
  struct Tap { int index, row, column; size_t table, codes; };
  struct Phase { int y, x; std::vector<Tap> taps; };
  int in_height, in_width, in_channels, in_step, out_height, out_width, out_channels, out_step;
  const float *in_scale, *out_scale;  // per channel, or null
  std::vector<Phase> phases;
  // filled by `complete`
  int quads = 0, tiles = 0, lead = 0, positions = 0, first_row = 0, ring = 0;
  int quad_block = 0;  // quads whose tables of all taps' rows stay in L1
  size_t row_size = 0;

  // The columns of an input row are tabled by their phase c % in_step at position lead + c / in_step.
  void complete() {
    quads = (in_channels + kSigns - 1) / kSigns, tiles = (out_channels + kOutputs - 1) / kOutputs;
    int low_row = 0, high_row = 0, low = 0, high = 0;
    for (const Phase& phase : phases)
      for (const Tap& tap : phase.taps) {
        low_row = std::min(low_row, tap.row), high_row = std::max(high_row, tap.row);
        low = std::min(low, floor_divide(tap.column, in_step)), high = std::max(high, floor_divide(tap.column, in_step));
      }
    const int columns = round_up((out_width + out_step - 1) / out_step, kLanes);
    lead = -low, first_row = low_row, ring = high_row - low_row + 1;
    positions = round_up(lead + std::max((in_width + in_step - 1) / in_step + kSigns, high + columns), kLanes);
    quad_block = std::max(1, int(kTableShare / (sizeof(float) * kEntries * positions * in_step * ring)));
    row_size = size_t(in_step) * quads * kEntries * positions;
    size_t codes = 0;
    for (Phase& phase : phases)
      for (Tap& tap : phase.taps) {
        const int part = tap.column - floor_divide(tap.column, in_step) * in_step;
        tap.table = size_t(part) * quads * kEntries * positions + lead + floor_divide(tap.column, in_step);
        tap.codes = codes;
        codes += size_t(quads) * kOutputs;
      }
    code_tile = codes;
  }
  size_t code_tile = 0;  // codes of one tile of outputs: [tap of every phase][quad][kOutputs]

  static int floor_divide(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
  bool fits() const { return size_t(kEntries) * positions <= 65535; }
};

struct Entry { const float* table; const uint16_t* codes; };

// sums[o][pixels] += the entries of `quads` looked-up vectors each
template <int kVectors>
static void add_entries(const Entry* entries, int count, int quads, size_t table_size, size_t at, float* sums, size_t row) {
  Vec acc[kOutputs][kVectors];
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; o++)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) acc[o][v] = load(sums + o * row + at + v * kLanes);
  for (int e = 0; e < count; e++) {
    const float* table = entries[e].table + at;
    const uint16_t* code = entries[e].codes;
    for (int q = 0; q < quads; q++, table += table_size, code += kOutputs) {
#pragma GCC unroll 8
      for (int o = 0; o < kOutputs; o++) {
        const float* entry = table + code[o];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) acc[o][v] += load(entry + v * kLanes);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; o++)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) store(sums + o * row + at + v * kLanes, acc[o][v]);
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
        for (const auto& phase : p.phases)
          for (const auto& tap : phase.taps)
            for (int c = 0; c < p.in_channels; c++)
              for (int o = 0; o < std::min(kOutputs, p.out_channels - int(tile) * kOutputs); o++)
                codes[tile * p.code_tile + tap.codes + size_t(c / kSigns) * kOutputs + o] +=
                    uint16_t(negative(int(tile) * kOutputs + o, tap.index, c) * p.positions << (c % kSigns));
    });
  }

  void run(int batch, const float* in, float* out) const {
    const size_t in_size = size_t(p.in_height) * p.in_width * p.in_channels, out_size = size_t(p.out_height) * p.out_width * p.out_channels;
    const int rows = (p.out_height + p.out_step - 1) / p.out_step;
    parallel_ranges(size_t(batch) * rows, 1, [&](size_t begin, size_t end, int thread) {
      float* tables = scratch<float>(Scratch::kTile, thread, p.row_size * p.ring);
      int tabled = 0;  // input rows before this one are in the ring
      for (size_t i = begin; i < end; i++) {
        const int n = int(i / rows), j = int(i % rows), needed = j * p.in_step + p.first_row;
        if (i == begin || j == 0) tabled = std::max(0, needed);
        for (tabled = std::max(tabled, needed); tabled < std::min(p.in_height, needed + p.ring); tabled++)
          build_tables(in + n * in_size + size_t(tabled) * p.in_width * p.in_channels, thread,
                       tables + tabled % p.ring * p.row_size);
        for (const auto& phase : p.phases)
          if (j * p.out_step + phase.y < p.out_height) compute_row(phase, j, tables, thread, out + n * out_size);
      }
    });
  }

 private:
  const Plan& p;
  uint16_t* codes;

  void build_tables(const float* row, int thread, float* tables) const {
    const size_t table = size_t(kEntries) * p.positions;
    float* planes = scratch<float>(Scratch::kImage, thread, size_t(kSigns) * p.positions);
    std::vector<float> beyond(kSigns * size_t(p.quads), 0.0f), pixels;
    if (p.in_channels % kSigns != 0) {
      // whole quads of channels, so that the transposition may read four
      pixels.assign(size_t(p.in_width) * p.quads * kSigns, 0.0f);
      for (int x = 0; x < p.in_width; x++)
        std::memcpy(&pixels[size_t(x) * p.quads * kSigns], row + size_t(x) * p.in_channels, sizeof(float) * p.in_channels);
      row = pixels.data();
    }
    for (int part = 0; part < p.in_step; part++)
      for (int q = 0; q < p.quads; q++, tables += table) {
        std::memset(planes, 0, sizeof(float) * kSigns * p.positions);
        const int columns = (p.in_width - part + p.in_step - 1) / p.in_step;
        for (int x = 0; x < columns; x += 4) {
          const float* from[4];
          for (int i = 0; i < 4; i++)
            from[i] = x + i < columns ? row + (size_t(x + i) * p.in_step + part) * p.quads * kSigns + q * kSigns : beyond.data();
          transpose4(from, planes + p.lead + x, p.positions);
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

  void compute_row(const Plan::Phase& phase, int j, const float* tables, int thread, float* out) const {
    const int columns = (p.out_width - phase.x + p.out_step - 1) / p.out_step, padded = round_up(columns, kLanes);
    const size_t table = size_t(kEntries) * p.positions, sums_size = size_t(p.tiles) * kOutputs * padded;
    float* sums = scratch<float>(Scratch::kPartial, thread, sums_size);
    std::memset(sums, 0, sizeof(float) * sums_size);
    Entry* entries = scratch<Entry>(Scratch::kDots, thread, phase.taps.size());
    for (int first = 0; first < p.quads; first += p.quad_block)
      for (int tile = 0; tile < p.tiles; tile++) {
        int count = 0;
        for (const auto& tap : phase.taps) {
          const int row = j * p.in_step + tap.row;
          if (row < 0 || row >= p.in_height) continue;
          entries[count++] = {tables + row % p.ring * p.row_size + tap.table + first * table,
                              codes + tile * p.code_tile + tap.codes + first * kOutputs};
        }
        const int quads = std::min(p.quad_block, p.quads - first);
        float* to = sums + size_t(tile) * kOutputs * padded;
        int x = 0;
        for (; x + kLanes < padded; x += 2 * kLanes) add_entries<2>(entries, count, quads, table, x, to, padded);
        if (x < padded) add_entries<1>(entries, count, quads, table, x, to, padded);
      }
    if (p.out_scale)
      for (int c = 0; c < p.out_channels; c++)
        for (int x = 0; x < padded; x += kLanes) {
          float* at = sums + size_t(c) * padded + x;
          store(at, load(at) * p.out_scale[c]);
        }
    float* to = out + (size_t(j) * p.out_step + phase.y) * p.out_width * p.out_channels + phase.x * p.out_channels;
    const size_t pixel = size_t(p.out_step) * p.out_channels;
    for (int c = 0; c < p.out_channels; c += 4)
      for (int x = 0; x < columns; x += 4) {
        const float* from[4];
        for (int i = 0; i < 4; i++) from[i] = sums + size_t(c + i) * padded + x;
        float* block_to = to + x * pixel + c;
        if (c + 4 <= p.out_channels && x + 4 <= columns) {
          transpose4(from, block_to, pixel);
          continue;
        }
        for (int i = 0; i < std::min(4, columns - x); i++)
          for (int k = 0; k < std::min(4, p.out_channels - c); k++) block_to[i * pixel + k] = from[k][i];
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
        floats.data[(size_t(tap) * g.group_in() + ci) * g.out_channels + co] = bits.negative(co, tap, ci) ? -alpha.data[co] : alpha.data[co];
  return floats;
}

// Strided rows have few look-ups per table, and rows much narrower than a vector leave most of it empty: multiply-adds win there.
static bool worthwhile(const ConvGeometry& g, int row) { return g.groups == 1 && g.stride == 1 && 2 * row >= kLanes; }

}  // namespace sign_sums

static void conv2dSigns(Floats x, Words filter, Floats alpha, Floats y, Ints geometry) {
  using namespace sign_sums;
  const ConvGeometry g(geometry);
  const FilterBits bits{filter.data, g.taps(), words_per_row(g.group_in())};
  require(x, g.in_size(), "conv2dSigns x");
  require(filter, g.out_channels * g.taps() * bits.stride, "conv2dSigns filter");
  require(alpha, g.out_channels, "conv2dSigns alpha");
  require(y, g.out_size(), "conv2dSigns y");
  Plan plan{g.height, g.width, g.in_channels, g.stride, g.out_height, g.out_width, g.out_channels, 1, nullptr, alpha.data, {}};
  Plan::Phase phase{0, 0, {}};
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < g.kernel_width; kx++)
      phase.taps.push_back({ky * g.kernel_width + kx, ky * g.dilation - g.pad, kx * g.dilation - g.pad, 0, 0});
  plan.phases.push_back(std::move(phase));
  plan.complete();
  if (!worthwhile(g, g.out_width) || !plan.fits()) return conv2d(x, effective_filter(g, filter, alpha), y, geometry);
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
  Plan plan{g.out_height, g.out_width, g.out_channels, 1, g.height, g.width, g.in_channels, g.stride, alpha.data, nullptr, {}};
  for (const auto& from : conv::input_phases(g)) {
    Plan::Phase phase{from.y, from.x, {}};
    for (const auto& tap : from.taps) phase.taps.push_back({tap.ky * g.kernel_width + tap.kx, tap.row, tap.column, 0, 0});
    plan.phases.push_back(std::move(phase));
  }
  plan.complete();
  if (!worthwhile(g, g.width) || !plan.fits())
    return conv2dBackwardInput(dy, effective_filter(g, filter, alpha), dx, geometry);
  SignConvolution(plan, [&](int out, int tap, int in) { return bits.negative(in, tap, out); }).run(g.batch, dy.data, dx.data);
}
