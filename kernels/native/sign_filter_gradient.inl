// Gradient of a binary convolution's filter: dw[tap][ci] is a sum of output gradients with the signs of the input, so four
// neighbouring output pixels are tabled (sign_sums.inl) and every (tap, input channel) looks its sum up.
namespace sign_sums {

constexpr int kColumns = 16;                      // output channels of a panel
constexpr int kVectors = kColumns / kLanes;
constexpr int kRows = kLanes >= 8 ? kLanes : 4;   // input channels whose sums stay in registers
constexpr int kTable = kEntries * kColumns;

// Where there are few panels, images are summed in several parts, so that threads find enough of both to share out. Each part is a sum
// of its own: how many there are depends on the shape alone, whatever the threads.
static int parts_of(int out_channels) {
  constexpr int kUnits = 8;
  return std::max(1, kUnits / ((out_channels + kColumns - 1) / kColumns));
}

// sums[r] += the looked-up entries of `rows` x `groups` tables
static void add_looked_up(const float* tables, const uint8_t* codes, int rows, int groups, size_t code_row, size_t code_step,
                          float* sums) {
  Vec acc[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) acc[r][v] = load(sums + r * kColumns + v * kLanes);
  for (int y = 0; y < rows; y++) {
    const uint8_t* code = codes + y * code_row;
    for (int i = 0; i < groups; i++, tables += kTable, code += code_step) {
      // one load for several codes: the loads of entries take all that the processor can do of them
      uint64_t word = 0;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; r++) {
        if (r % 8 == 0) std::memcpy(&word, code + r, std::min(8, kRows));
        const float* entry = tables + (word & 255);
        word >>= 8;
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) acc[r][v] += load(entry + v * kLanes);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) store(sums + r * kColumns + v * kLanes, acc[r][v]);
}

// to[i] = (from[i] | from[i + step] << kShift) * kFactor, in words of eight bytes
template <int kShift, int kFactor>
static void join(const uint64_t* from, size_t step, uint8_t* to, size_t count) {
  const auto run = [&](size_t i, auto type) {
    typedef decltype(type) Words;
    Words low, high;
    std::memcpy(&low, from + i, sizeof(Words));
    std::memcpy(&high, from + i + step, sizeof(Words));
    const Words joined = (low | high << kShift) * kFactor;
    std::memcpy(to + 8 * i, &joined, sizeof(Words));
  };
  typedef uint64_t Four __attribute__((vector_size(32)));
  size_t i = 0;
  for (; i + 4 <= count; i += 4) run(i, Four{});
  for (; i < count; i++) run(i, uint64_t{});
}

class FilterGradient {
 public:
  FilterGradient(const ConvGeometry& g, Words x, Floats dy, bool zero_pad)
      : g(g), x(x), dy(dy), zero_pad(zero_pad), channels(round_up(g.in_channels, std::max(8, kRows))),
        groups((g.out_width + 3) / 4), panels((g.out_channels + kColumns - 1) / kColumns), positions(input_column((groups - 1) * kSigns, g.kernel_width - 1) + g.pad + 1), code_row(size_t(positions) * channels),
        block_rows(std::max(1, std::min(g.out_height, 16 / groups))) {
    for (int kx = 0; kx < g.kernel_width; kx++) {
      Column column{kx, 0, g.out_width};
      while (column.first < column.last && input_column(column.first, kx) < 0) column.first++;
      while (column.first < column.last && input_column(column.last - 1, kx) >= g.width) column.last--;
      if (column.first < column.last || !zero_pad) columns.push_back(column);
    }
  }

  void run(float* dfilter) {
    const int threads = thread_count();
    // a block is cut into parts, so it is counted from the shape alone too, whatever the width of a tile
    const int parts = std::min(parts_of(g.out_channels), g.batch);
    const size_t image_codes = g.height * code_row, panel_size = size_t(g.taps()) * (channels + 1) * kColumns;
    const size_t counted_codes = size_t(g.height) * g.kernel_width * groups * round_up(g.in_channels, kSumLanes);
    const int block = int(std::max<size_t>(parts, std::min<size_t>(g.batch, (4u << 20) / counted_codes)));
    // with all images encoded at once a few panels can be finished after the other; else the sums of all of them wait for the next block
    const int together = block < g.batch ? panels : std::min<int>(panels, std::max<size_t>(threads, (1u << 18) / panel_size / threads * threads));
    uint8_t* codes = scratch<uint8_t>(Scratch::kGradient, 0, block * image_codes);
    float* sums = scratch<float>(Scratch::kPartial, 0, panel_size * together * parts);
    for (int panel = 0; panel < panels; panel += together) {
      const int count = std::min(together, panels - panel);
      std::memset(sums, 0, sizeof(float) * panel_size * together * parts);
      for (int first = 0; first < g.batch; first += block) {
        const int images = std::min(block, g.batch - first);
        if (panel == 0) encode(first, images, codes);
        add_images(first, images, panel, count, parts, codes, sums, panel_size * together);
      }
      parallel_ranges(g.taps(), 1, [&](size_t begin, size_t end, int) {
        for (size_t tap = begin; tap < end; tap++)
          for (int p = 0; p < count; p++)
            gather(sums + p * panel_size + tap * (channels + 1) * kColumns, panel_size * together, parts,
                   dfilter + tap * g.in_channels * g.out_channels + (panel + p) * kColumns,
                   std::min(kColumns, g.out_channels - (panel + p) * kColumns));
      });
    }
  }

 private:
  struct Column {
    int kx, first, last;  // output columns [first, last) meet the image
  };
  const ConvGeometry& g;
  const Words x;
  const Floats dy;
  const bool zero_pad;
  const int channels, groups, panels;  // channels: rounded up to whole tiles
  const int positions;                 // columns, from -pad on, at which a group of output pixels may begin to look
  const size_t code_row;               // codes of an input row: [position][channel]
  const int block_rows;                // rows of dy whose tables stay in L1
  std::vector<Column> columns;         // kernel columns that count at all: the others' gradient is exactly 0

  int input_column(int out_column, int kx) const { return out_column * g.stride + kx * g.dilation - g.pad; }
  int input_row(int out_row, int ky) const { return out_row * g.stride + ky * g.dilation - g.pad; }
  static bool inside(int position, int size) { return position >= 0 && position < size; }

  void encode(int first, int images, uint8_t* codes) const {
    parallel_ranges(size_t(images) * g.height, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t i = begin; i < end; i++) encode_row(first + int(i / g.height), int(i % g.height), thread, codes + i * code_row);
    });
  }

  // The encoded images' share in the sums of `count` panels, in `parts` separate sums.
  void add_images(int first, int images, int panel, int count, int parts, const uint8_t* codes, float* sums, size_t part_size) const {
    const size_t image_codes = g.height * code_row, panel_size = size_t(g.taps()) * (channels + 1) * kColumns;
    parallel_ranges(size_t(count) * parts, 1, [&](size_t begin, size_t end, int thread) {
      float* tables = scratch<float>(Scratch::kTile, thread, size_t(block_rows) * groups * kTable);
      for (size_t unit = begin; unit < end; unit++) {
        const int p = int(unit / parts), part = int(unit % parts);
        for (int n = images * part / parts; n < images * (part + 1) / parts; n++)
          add_image(dy.data + size_t(first + n) * g.out_height * g.out_width * g.out_channels, panel + p, codes + n * image_codes, tables,
                    sums + part * part_size + p * panel_size);
      }
    });
  }

  // Table offset of the four signs from each (position, channel) on, `stride` columns apart; beyond the border +1.
  void encode_row(int n, int iy, int thread, uint8_t* codes) const {
    static_assert((kEntries - 1) * kColumns < 256, "a table offset is a byte");
    const int bytes = channels / 8, last = positions + (kSigns - 1) * g.stride;
    const size_t words = words_per_row(g.in_channels), columns = std::max(g.pad + g.width, last), step = size_t(g.stride) * bytes;
    const uint32_t* row = x.data + (size_t(n) * g.height + iy) * g.width * words;
    uint64_t* pixels = scratch<uint64_t>(Scratch::kDots, thread, columns * bytes + last * bytes);  // one byte per sign, columns from -pad on
    uint64_t* pairs = pixels + columns * bytes;
    std::memset(pixels, 0, sizeof(uint64_t) * g.pad * bytes);
    uint64_t* to = pixels + size_t(g.pad) * bytes;
    for (int column = 0; column < g.width; column++, row += words)
      for (int i = 0; i < bytes; i++) *to++ = spread.bytes[(row[i >> 2] >> (8 * (i & 3))) & 255];
    std::memset(to, 0, sizeof(uint64_t) * (columns - g.pad - g.width) * bytes);
    join<1, kColumns>(pixels, step, reinterpret_cast<uint8_t*>(pairs), size_t(last - g.stride) * bytes);
    join<2, 1>(pairs, 2 * step, codes, size_t(positions) * bytes);
  }

  void build_tables(const float* gradient, int width, float* tables) const {
    for (int group = 0; group < groups; group++, tables += kTable) {
      float pixels[kSigns][kColumns] = {};
      const float* from[kSigns];
      for (int j = 0; j < kSigns; j++) {
        const int column = group * kSigns + j;
        const float* pixel = gradient + size_t(column) * g.out_channels;
        from[j] = column < g.out_width && width == kColumns ? pixel : pixels[j];
        if (column < g.out_width && width < kColumns) std::memcpy(pixels[j], pixel, sizeof(float) * width);
      }
      for (int v = 0; v < kVectors; v++) {
        const int at = v * kLanes;
        table_of(load(from[0] + at), load(from[1] + at), load(from[2] + at), load(from[3] + at), tables + at, kColumns);
      }
    }
  }

  // The look-ups count columns beyond the border as +1 and rows beyond it not at all: what the border adds to every channel.
  void add_border(const float* gradient, int oy, int width, float* out) const {
    const size_t tap_size = size_t(channels + 1) * kColumns;
    for (const Column& column : columns) {
      by_vectors(width, [&](int c, auto extent) {
        Vec beyond = {};
        const auto each = [&](int from, int to, const auto& add) {
          for (int ox = from; ox < to; ox++) add(load(gradient + size_t(ox) * g.out_channels + c, extent));
        };
        const auto take = [&](Vec v) { beyond -= v; };
        if (zero_pad) each(0, column.first, take), each(column.last, g.out_width, take);
        else each(0, g.out_width, [&](Vec v) { beyond += v; });
        for (int ky = 0; ky < g.kernel_height; ky++) {
          if (inside(input_row(oy, ky), g.height) != zero_pad) continue;
          float* to = out + (ky * g.kernel_width + column.kx) * tap_size + c;
          store(to, load(to) + beyond);
        }
      });
    }
  }

  // out: [tap][channels, then the border's sum][kColumns]
  void add_image(const float* gradient, int panel, const uint8_t* codes, float* tables, float* out) const {
    const int width = std::min(kColumns, g.out_channels - panel * kColumns);
    const size_t tap_size = size_t(channels + 1) * kColumns, row_tables = size_t(groups) * kTable;
    for (int y0 = 0; y0 < g.out_height; y0 += block_rows) {
      const int y1 = std::min(g.out_height, y0 + block_rows);
      for (int y = y0; y < y1; y++) {
        const float* row = gradient + size_t(y) * g.out_width * g.out_channels + panel * kColumns;
        build_tables(row, width, tables + (y - y0) * row_tables);
        if (g.pad > 0) add_border(row, y, width, out + channels * kColumns);
      }
      for (size_t pixel = size_t(y1) * g.out_width, next = pixel + size_t(y1 - y0) * g.out_width; pixel < next; pixel++)
        prefetch(gradient + pixel * g.out_channels + panel * kColumns, kColumns);
      for (int ky = 0; ky < g.kernel_height; ky++) {
        int from = y0, to = y1;
        while (from < to && input_row(from, ky) < 0) from++;
        while (from < to && input_row(to - 1, ky) >= g.height) to--;
        if (from == to) continue;
        for (const Column& column : columns)
          for (int c = 0; c < channels; c += kRows)
            add_looked_up(tables + (from - y0) * row_tables,
                          codes + input_row(from, ky) * code_row + size_t(column.kx) * g.dilation * channels + c, to - from, groups,
                          g.stride * code_row, size_t(kSigns) * g.stride * channels,
                          out + (ky * g.kernel_width + column.kx) * tap_size + size_t(c) * kColumns);
      }
    }
  }

  // dfilter[ci][0..width) = sums of all parts, each with its border's sum
  void gather(const float* sums, size_t part_size, int parts, float* dfilter, int width) const {
    for (int ci = 0; ci < g.in_channels; ci++)
      for (int c = 0; c < width; c++) {
        float sum = 0;
        for (int part = 0; part < parts; part++)
          sum += sums[part * part_size + ci * kColumns + c] + sums[part * part_size + channels * kColumns + c];
        dfilter[size_t(ci) * g.out_channels + c] = sum;
      }
  }
};

}  // namespace sign_sums

static void conv2dBackwardFilterSigns(Words x, Floats dy, Floats dfilter, Ints geometry, int zero_pad) {
  const ConvGeometry g(geometry);
  const size_t stride = words_per_row(g.in_channels);
  require(x, g.in_pixels() * stride, "conv2dBackwardFilterSigns x");
  require(dy, g.out_size(), "conv2dBackwardFilterSigns dy");
  require(dfilter, g.filter_size(), "conv2dBackwardFilterSigns dfilter");
  if (g.batch == 0) return void(std::memset(dfilter.data, 0, sizeof(float) * g.filter_size()));
  if (g.groups > 1) return conv::backward_filter_of_signs(g, x, dy, dfilter, zero_pad);
  if (!conv::is_product(g)) return sign_sums::FilterGradient(g, x, dy, zero_pad).run(dfilter.data);
  // a matrix product over pixels, whatever image they belong to: dense layers have one per image
  const int pixels = int(g.in_pixels());
  if (pixels % sign_sums::kSigns != 0) {
    const Floats signs{scratch<float>(Scratch::kGradient, 0, g.in_size()), g.in_size()};
    unpackSigns(x, signs, pixels, g.in_channels);
    return sgemm(1, 0, g.in_channels, g.out_channels, pixels, signs, dy, 0, dfilter);
  }
  ConvGeometry rows = g;
  rows.batch = std::gcd(pixels / sign_sums::kSigns, sign_sums::parts_of(g.out_channels));
  rows.width = rows.out_width = sign_sums::kSigns;
  rows.height = rows.out_height = pixels / sign_sums::kSigns / rows.batch;
  sign_sums::FilterGradient(rows, x, dy, zero_pad).run(dfilter.data);
}
