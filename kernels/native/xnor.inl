// XNOR-popcount convolution: direct, over a padded packed image, no im2col. dot = K - 2*popcount; padded taps are zero bits, i.e.
// +1, so for zero padding the sum of their filter signs is subtracted again, exactly.
//
// A prepared filter is one word that says where the panels begin (on a cache line), [group][panel] panels (layout of the inner
// kernel), then int32 sums of signs [tap][Cout].
namespace xnor {

struct Prepared {
  const uint8_t* panels;
  const int32_t* tap_sums;
  size_t panel_bytes;
  int group_panels;
};

constexpr size_t kLine = 64;
// the word of the start, and what may be left free before a cache line begins
constexpr size_t kHeadBytes = sizeof(uint32_t) + kLine;

static int group_panels(const ConvGeometry& g) { return (g.group_out() + kPanel - 1) / kPanel; }
static size_t prepared_words(const ConvGeometry& g) {
  return (kHeadBytes + panel_bytes(g) * group_panels(g) * g.groups) / sizeof(uint32_t) + size_t(g.taps()) * g.out_channels;
}

static Prepared locate(const Words& filter, const ConvGeometry& g) {
  require(filter, prepared_words(g), "prepared filter");
  const size_t start = std::min<size_t>(filter.data[0], kHeadBytes), bytes = panel_bytes(g) * group_panels(g) * g.groups;
  const uint8_t* base = reinterpret_cast<const uint8_t*>(filter.data) + start;
  return {base, reinterpret_cast<const int32_t*>(base + bytes), panel_bytes(g), group_panels(g)};
}

static void choose_start(const Words& filter) {
  const size_t first = reinterpret_cast<size_t>(filter.data) + sizeof(uint32_t);
  filter.data[0] = uint32_t(sizeof(uint32_t) + (kLine - first % kLine) % kLine);
}

// Channels of one group, moved down to bit 0 of whole words.
static void extract_group(const uint32_t* row, int first, int count, uint32_t* out) {
  for (int c = 0; c < int(words_per_row(count)) * 32; c += 32) {
    uint32_t word = 0;
    for (int i = 0; i < 32 && c + i < count; i++) word |= ((row[(first + c + i) >> 5] >> ((first + c + i) & 31)) & 1) << i;
    out[c / 32] = word;
  }
}

struct Image {
  const Unit* units;
  int padded_width;
  size_t group_stride;  // units between the padded images of two groups
};

static Image expand_image(const ConvGeometry& g, const uint32_t* words, int thread) {
  const int padded_width = g.width + 2 * g.pad, padded_height = g.height + 2 * g.pad;
  const size_t units = units_per_row(g.group_in()), row_words = words_per_row(g.in_channels);
  const size_t row = size_t(padded_width) * units, image = row * padded_height, margin = size_t(g.pad) * units;
  // the inner kernel looks at the pixel after the last one, too
  const size_t step = size_t(g.stride) * units, total = image * g.groups;
  Unit* out = scratch<Unit>(Scratch::kImage, thread, total + 2 * step);
  std::memset(out + total, 0, 2 * step * sizeof(Unit));
  std::vector<uint32_t> group_row(g.groups > 1 ? words_per_row(g.group_in()) : 0);
  for (int group = 0; group < g.groups; group++) {
    Unit* to = out + group * image;
    std::memset(to, 0, row * g.pad * sizeof(Unit));
    std::memset(to + image - row * g.pad, 0, row * g.pad * sizeof(Unit));
    for (int y = 0; y < g.height; y++) {
      const uint32_t* from = words + size_t(y) * g.width * row_words;
      Unit* line = to + row * (y + g.pad);
      std::memset(line, 0, margin * sizeof(Unit));
      std::memset(line + row - margin, 0, margin * sizeof(Unit));
      line += margin;
      if (g.groups == 1) {
        expand_pixels(from, g.width, g.in_channels, line);
        continue;
      }
      for (int x = 0; x < g.width; x++) {
        extract_group(from + x * row_words, group * g.group_in(), g.group_in(), group_row.data());
        expand_pixels(group_row.data(), 1, g.group_in(), line + x * units);
      }
    }
  }
  finish_image(g, out, total, step);
  return {out, padded_width, image};
}

// Which rows (or columns) of taps lie inside the image, for every output row (or column); neighbours with the same taps share a class.
struct TapsInside {
  std::vector<int> class_of;      // of an output row
  std::vector<int> first;         // output row that a class begins with
  int stride, pad, dilation, size;

  TapsInside(const ConvGeometry& g, int kernel, int size, int outputs) : stride(g.stride), pad(g.pad), dilation(g.dilation), size(size) {
    for (int out = 0; out < outputs; out++) {
      bool same = out > 0;
      for (int tap = 0; tap < kernel && same; tap++) same = at(out, tap) == at(out - 1, tap);
      if (!same) first.push_back(out);
      class_of.push_back(int(first.size()) - 1);
    }
  }

  bool at(int out, int tap) const {
    const int in = out * stride - pad + tap * dilation;
    return in >= 0 && in < size;
  }
};

// What the dots of an output pixel start from, a row of channels: all products agree, less the filter's signs under taps outside the
// image (zero padding; with +1 padding they count).
class Bases {
 public:
  Bases(const ConvGeometry& g, const int32_t* tap_sums, bool zero_pad)
      : width_(g.out_width), rows_(g, g.kernel_height, g.height, g.out_height) {
    const TapsInside columns(g, g.kernel_width, g.width, g.out_width);
    const size_t classes = rows_.first.size() * columns.first.size();
    sums_.assign(classes * g.out_channels, g.taps() * g.group_in());
    int32_t* sums = sums_.data();
    for (const int oy : rows_.first) {
      for (const int ox : columns.first) {
        if (zero_pad) subtract_outside(g, tap_sums, columns, oy, ox, sums);
        sums += g.out_channels;
      }
      for (int ox = 0; ox < g.out_width; ox++)
        of_pixel_.push_back(sums + (ptrdiff_t(columns.class_of[ox]) - ptrdiff_t(columns.first.size())) * g.out_channels);
    }
  }

  // for output pixel (oy, ox) and those right of it
  const int32_t* const* at(int oy, int ox) const { return of_pixel_.data() + size_t(rows_.class_of[oy]) * width_ + ox; }

 private:
  void subtract_outside(const ConvGeometry& g, const int32_t* tap_sums, const TapsInside& columns, int oy, int ox, int32_t* sums) const {
    for (int ky = 0; ky < g.kernel_height; ky++)
      for (int kx = 0; kx < g.kernel_width; kx++) {
        if (rows_.at(oy, ky) && columns.at(ox, kx)) continue;
        const int32_t* of_tap = tap_sums + size_t(ky * g.kernel_width + kx) * g.out_channels;
        by_vectors(g.out_channels, [&](int c, auto e) { store(sums + c, wrapping_difference(load(sums + c, e), load(of_tap + c, e)), e); });
      }
  }

  int width_;
  TapsInside rows_;
  std::vector<int32_t> sums_;
  std::vector<const int32_t*> of_pixel_;
};

static Runs runs_of(const ConvGeometry& g) {
  const long unit = long(units_per_row(g.group_in())), image_row = long(g.width + 2 * g.pad) * unit;
  const bool joined = g.dilation == 1;
  Runs runs{{}, int(joined ? run_units(g) : unit)};
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < (joined ? 1 : g.kernel_width); kx++) runs.starts.push_back((ky * image_row + kx * unit) * g.dilation);
  return runs;
}

template <int kPixels, class Emit>
static void tile_of(int panels, const Tile& t, const Emit& emit) {
  if (panels == 1) tile<kPixels, 1>(t, emit);
  if constexpr (kMostPanels > 1) {
    if (panels == 2) tile<kPixels, 2>(t, emit);
  }
}

template <class Emit>
static void tile_of(int pixels, int panels, const Tile& t, const Emit& emit) {
  switch (pixels) {
    case 1: return tile_of<1>(panels, t, emit);
    case 2: if constexpr (kMostPixels >= 2) return tile_of<2>(panels, t, emit);
    case 3: if constexpr (kMostPixels >= 3) return tile_of<3>(panels, t, emit);
    case 4: if constexpr (kMostPixels >= 4) return tile_of<4>(panels, t, emit);
    case 5: if constexpr (kMostPixels >= 5) return tile_of<5>(panels, t, emit);
    default: if constexpr (kMostPixels >= 6) return tile_of<6>(panels, t, emit);
  }
}

// A block of output pixels of one image.
struct Block {
  int image, first_row, rows, first_column, columns;
};

// All outputs of a block, one panel of the filter after the other; emit as in xnor_tile.inl.
template <class Emit>
static void compute_block(const ConvGeometry& g, const Prepared& filter, const Image& image, const Runs& runs, const Bases& bases,
                          const Block& block, const Emit& emit) {
  const size_t units = units_per_row(g.group_in());
  const int tiles = (block.columns + kMostPixels - 1) / kMostPixels, fewer = block.columns / tiles, wider = block.columns % tiles;
  Tile tile{nullptr, long(g.stride) * long(units), runs, nullptr, filter.panel_bytes, 0, 0, 0, nullptr};
  for (int group = 0; group < g.groups; group++)
    for (int p = 0; p < filter.group_panels; p += kMostPanels) {
      const int panels = std::min(kMostPanels, filter.group_panels - p);
      tile.weights = filter.panels + (size_t(group) * filter.group_panels + p) * filter.panel_bytes;
      tile.channel = group * g.group_out() + p * kPanel;
      tile.channels = std::min(panels * kPanel, g.group_out() - p * kPanel);
      for (int oy = block.first_row; oy < block.first_row + block.rows; oy++)
        for (int t = 0, x = block.first_column; t < tiles; t++) {
          const int pixels = fewer + (t < wider);
          tile.image = image.units + group * image.group_stride + (size_t(oy) * image.padded_width + x) * g.stride * units;
          tile.pixel = (size_t(block.image) * g.out_height + oy) * g.out_width + x;
          tile.base = bases.at(oy, x);
          tile_of(pixels, panels, tile, emit);
          x += pixels;
        }
    }
}

template <class Emit>
static void convolve(const Words& x, const Words& filter, const ConvGeometry& g, bool zero_pad, const Emit& emit) {
  const size_t row_words = words_per_row(g.in_channels);
  require(x, g.in_pixels() * row_words, "xnor convolution x");
  if (g.kernel_height * run_units(g) > size_t(kMostUnits)) {
    throw std::runtime_error("xnor convolution: a filter of more than 65,535 inputs is not supported by this kernel");
  }
  const Prepared prepared = locate(filter, g);
  const Runs runs = runs_of(g);
  // a panel of the filter is read from the first cache for all of them, and they stay in the second
  constexpr int kBlockPixels = 96;
  const int block_rows = std::max(1, kBlockPixels / g.out_width);
  const int row_blocks = (g.out_width + kBlockPixels - 1) / kBlockPixels;
  const Bases bases(g, prepared.tap_sums, zero_pad);
  const auto rows = [&](const Image& image, int n, size_t begin, size_t end) {
    for (int oy = int(begin); oy < int(end); oy += block_rows) {
      const int count = std::min(block_rows, int(end) - oy);
      for (int i = 0; i < row_blocks; i++) {
        const int left = g.out_width * i / row_blocks, right = g.out_width * (i + 1) / row_blocks;
        compute_block(g, prepared, image, runs, bases, {n, oy, count, left, right - left}, emit);
      }
    }
  };
  const size_t image_words = size_t(g.height) * g.width * row_words;
  if (g.batch >= thread_count()) {
    parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t n = begin; n < end; n++)
        rows(expand_image(g, x.data + n * image_words, thread), int(n), 0, g.out_height);
    });
    return;
  }
  for (int n = 0; n < g.batch; n++) {
    const Image image = expand_image(g, x.data + n * image_words, 0);
    const size_t work = size_t(g.out_width) * g.taps() * g.group_in() * g.out_channels;
    parallel_ranges(g.out_height, 1 + 4000000 / (work + 1), [&](size_t begin, size_t end, int) {
      rows(image, n, begin, end);
    });
  }
}

}  // namespace xnor

static void prepareXnorFilter(Words words, Words prepared, Ints geometry) {
  const ConvGeometry g(geometry);
  const size_t stride = words_per_row(g.group_in());
  require(words, size_t(g.out_channels) * g.taps() * stride, "prepareXnorFilter words");
  require(prepared, xnor::prepared_words(g), "prepareXnorFilter prepared");
  xnor::choose_start(prepared);
  const auto target = xnor::locate(prepared, g);
  uint8_t* panels = const_cast<uint8_t*>(target.panels);
  int32_t* sums = const_cast<int32_t*>(target.tap_sums);
  parallel_ranges(size_t(g.groups) * target.group_panels, 1, [&](size_t begin, size_t end, int) {
    for (size_t panel = begin; panel < end; panel++) {
      const int group = int(panel / target.group_panels), first = int(panel % target.group_panels) * xnor::kPanel;
      xnor::prepare_panel(
          g,
          [&](int o) -> const uint32_t* {
            if (first + o >= g.group_out()) return nullptr;
            return words.data + size_t(group * g.group_out() + first + o) * g.taps() * stride;
          },
          panels + panel * target.panel_bytes);
    }
  });
  for (int o = 0; o < g.out_channels; o++)
    for (int t = 0; t < g.taps(); t++) {
      int negatives = 0;
      for (size_t w = 0; w < stride; w++) negatives += __builtin_popcount(words.data[(size_t(o) * g.taps() + t) * stride + w]);
      sums[size_t(t) * g.out_channels + o] = g.group_in() - 2 * negatives;
    }
}

// Emits capture by value: what is behind a reference would be read again after every store.
static void xnorConv2d(Words x, Words filter, Ints out, Ints geometry, int zero_pad) {
  const ConvGeometry g(geometry);
  require(out, g.out_size(), "xnorConv2d out");
  xnor::convolve(x, filter, g, zero_pad, [y = out.data, channels = size_t(g.out_channels)](int c, auto e) {
    return [=](size_t pixel, VecInt dots) { store(y + pixel * channels + c, dots, e); };
  });
}

static void xnorConv2dScaled(Words x, Words filter, Floats alpha, Floats scale, Floats shift, Floats out, Ints geometry,
                             int zero_pad) {
  const ConvGeometry g(geometry);
  require(alpha, g.out_channels, "xnorConv2dScaled alpha");
  require(out, g.out_size(), "xnorConv2dScaled out");
  const size_t channels = g.out_channels;
  if (scale.size == 0) {
    xnor::convolve(x, filter, g, zero_pad, [=, y = out.data, alphas = alpha.data](int c, auto e) {
      return [=, a = load(alphas + c, e)](size_t pixel, VecInt dots) {
        store(y + pixel * channels + c, __builtin_convertvector(dots, Vec) * a, e);
      };
    });
    return;
  }
  require(scale, g.out_channels, "xnorConv2dScaled scale");
  require(shift, g.out_channels, "xnorConv2dScaled shift");
  const auto emit = [=, y = out.data, alphas = alpha.data, scales = scale.data, shifts = shift.data](int c, auto e) {
    return [=, a = load(alphas + c, e), s = load(scales + c, e), b = load(shifts + c, e)](size_t pixel, VecInt dots) {
      store(y + pixel * channels + c, __builtin_convertvector(dots, Vec) * a * s + b, e);
    };
  };
  xnor::convolve(x, filter, g, zero_pad, emit);
}

static void xnorConv2dThreshold(Words x, Words filter, Ints threshold, Ints flip, Words out, Ints geometry, int zero_pad) {
  const ConvGeometry g(geometry);
  require(threshold, g.out_channels, "xnorConv2dThreshold threshold");
  require(flip, g.out_channels, "xnorConv2dThreshold flip");
  const size_t stride = words_per_row(g.out_channels);
  require(out, g.out_pixels() * stride, "xnorConv2dThreshold out");
  std::memset(out.data, 0, sizeof(uint32_t) * g.out_pixels() * stride);
  const auto emit = [=, thresholds = threshold.data, flips = flip.data, words = out.data](int c, auto e) {
    const VecInt bound = load(thresholds + c, e), turned = (VecInt)(load(flips + c, e) != 0);
    return [=](size_t pixel, VecInt dots) {
      const VecInt negative = ((VecInt)(dots < bound) & ~turned) | ((VecInt)(dots > bound) & turned);
      const uint64_t placed = uint64_t(bits::mask_of(negative, e)) << (c & 31);
      uint32_t* word = words + pixel * stride + (c >> 5);
      word[0] |= uint32_t(placed);
      // the channels of a group need not begin on a whole vector
      if (placed >> 32) word[1] |= uint32_t(placed >> 32);
    };
  };
  xnor::convolve(x, filter, g, zero_pad, emit);
}

// A convolution over an image of one row: every row of `a` is a pixel.
static void xnorGemm(Words a, Words b, Ints out, int m, int n, int k) {
  require(out, size_t(m) * n, "xnorGemm out");
  if (m == 0 || n == 0) return;
  int32_t fields[13] = {1, m, 1, k, 1, 1, n, 1, 0, 1, 1, m, 1};
  const Ints geometry{fields, 13};
  const ConvGeometry g(geometry);
  const size_t needed = xnor::prepared_words(g);
  const Words prepared{scratch<uint32_t>(Scratch::kFilter, 0, needed), needed};
  prepareXnorFilter(b, prepared, geometry);
  xnorConv2d(a, prepared, out, geometry, 1);
}

// The inner kernel's instructions without memory: the speed limit that the benchmark compares with. operations[0] receives how many
// binary multiply-accumulates (times 2) were done.
static void xnorPeak(int rounds, Floats operations) {
  require(operations, 1, "xnorPeak operations");
  expect(rounds <= 1 << 20, "xnorPeak", "more than 2^20 rounds");
  operations.data[0] = float(xnor::register_only(rounds));
}
