// XNOR-popcount convolution: direct, over a padded packed image, no im2col. dot = K - 2*popcount; padded taps are zero bits, i.e.
// +1, so for zero padding the sum of their filter signs is subtracted again, exactly.
//
// A prepared filter is [group][panel] panels (layout of the inner kernel), then int32 sums of signs [tap][Cout].
namespace xnor {

struct Prepared {
  const uint8_t* panels;
  const int32_t* tap_sums;
  size_t panel_bytes;
  int group_panels;
};

static size_t panel_bytes(const ConvGeometry& g) { return panel_bytes(g.taps(), g.group_in()); }
static int group_panels(const ConvGeometry& g) { return (g.group_out() + kPanel - 1) / kPanel; }

static Prepared locate(const Words& filter, const ConvGeometry& g) {
  const size_t bytes = panel_bytes(g) * group_panels(g) * g.groups;
  require(filter, bytes / 4 + size_t(g.taps()) * g.out_channels, "prepared filter");
  const uint8_t* base = reinterpret_cast<const uint8_t*>(filter.data);
  return {base, reinterpret_cast<const int32_t*>(base + bytes), panel_bytes(g), group_panels(g)};
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
  const size_t image = size_t(padded_width) * padded_height * units;
  // the inner kernel looks at the pixel after the last one, too
  const size_t step = size_t(g.stride) * units, total = image * g.groups;
  Unit* out = scratch<Unit>(Scratch::kImage, thread, total + 2 * step);
  std::memset(out + total, 0, 2 * step * sizeof(Unit));
  std::vector<uint32_t> group_row(g.groups > 1 ? words_per_row(g.group_in()) : 0);
  for (int group = 0; group < g.groups; group++) {
    Unit* to = out + group * image;
    if (g.pad > 0) std::memset(to, 0, image * sizeof(Unit));
    for (int y = 0; y < g.height; y++)
      for (int x = 0; x < g.width; x++) {
        const uint32_t* row = words + (size_t(y) * g.width + x) * row_words;
        if (g.groups > 1) {
          extract_group(row, group * g.group_in(), g.group_in(), group_row.data());
          row = group_row.data();
        }
        expand_row(row, g.group_in(), to + ((size_t(y) + g.pad) * padded_width + x + g.pad) * units);
      }
  }
  finish_image(out, total, step);
  return {out, padded_width, image};
}

// Adds the filter signs of every tap of output (oy, ox) that lies outside the image.
static void border_sums(const ConvGeometry& g, const int32_t* tap_sums, int oy, int ox, int32_t* out) {
  std::memset(out, 0, sizeof(int32_t) * g.out_channels);
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < g.kernel_width; kx++) {
      const int iy = oy * g.stride - g.pad + ky * g.dilation, ix = ox * g.stride - g.pad + kx * g.dilation;
      if (iy >= 0 && iy < g.height && ix >= 0 && ix < g.width) continue;
      const int32_t* sums = tap_sums + size_t(ky * g.kernel_width + kx) * g.out_channels;
      by_vectors(g.out_channels, [&](int c, auto e) {
        store(out + c, load(out + c, e) + load(sums + c, e), e);
      });
    }
}

static bool touches_border(const ConvGeometry& g, int oy, int ox) {
  const int top = oy * g.stride - g.pad, left = ox * g.stride - g.pad;
  return top < 0 || left < 0 || top + (g.kernel_height - 1) * g.dilation >= g.height ||
         left + (g.kernel_width - 1) * g.dilation >= g.width;
}

template <int kPixels>
static void tile_of(int panels, const Unit* image, long step, const long* taps, int tap_count, int units,
                    const uint8_t* weights, size_t panel_size, int outputs, int32_t reach, int32_t* out, long out_step) {
  if (panels == 1) tile<kPixels, 1>(image, step, taps, tap_count, units, weights, panel_size, outputs, reach, out, out_step);
  if constexpr (kMostPanels > 1) {
    if (panels == 2) tile<kPixels, 2>(image, step, taps, tap_count, units, weights, panel_size, outputs, reach, out, out_step);
  }
}

// dots of outputs (oy, first..first+columns) for all channels, [columns][Cout]
static void compute_pixels(const ConvGeometry& g, const Prepared& filter, const Image& image, const long* taps, int oy,
                           int first, int columns, int32_t* dots) {
  const size_t units = units_per_row(g.group_in());
  const long step = long(g.stride) * units;
  const int reach = g.taps() * g.group_in();
  const int tiles = (columns + kMostPixels - 1) / kMostPixels;
  alignas(64) int32_t partial[kMostPixels * kMostPanels * kPanel];  // for panels beyond the last channel
  for (int group = 0; group < g.groups; group++)
    for (int p = 0; p < filter.group_panels; p += kMostPanels) {
      const int panels = std::min(kMostPanels, filter.group_panels - p);
      const uint8_t* weights = filter.panels + (size_t(group) * filter.group_panels + p) * filter.panel_bytes;
      const int channels = std::min(panels * kPanel, g.group_out() - p * kPanel);
      for (int t = 0, x = 0; t < tiles; t++) {
        const int pixels = (columns - x) / (tiles - t);
        const Unit* from = image.units + group * image.group_stride +
                           (size_t(oy) * g.stride * image.padded_width + size_t(first + x) * g.stride) * units;
        int32_t* row = dots + size_t(x) * g.out_channels + group * g.group_out() + p * kPanel;
        const bool whole = channels == panels * kPanel;
        const auto run = [&](auto kernel) {
          kernel(panels, from, step, taps, g.taps(), int(units), weights, filter.panel_bytes, channels, reach, whole ? row : partial,
                 whole ? long(g.out_channels) : long(kMostPanels * kPanel));
        };
        switch (pixels) {
          case 1: run(tile_of<1>); break;
          case 2: if constexpr (kMostPixels >= 2) run(tile_of<2>); break;
          case 3: if constexpr (kMostPixels >= 3) run(tile_of<3>); break;
          case 4: if constexpr (kMostPixels >= 4) run(tile_of<4>); break;
          case 5: if constexpr (kMostPixels >= 5) run(tile_of<5>); break;
          default: if constexpr (kMostPixels >= 6) run(tile_of<6>); break;
        }
        if (!whole) {
          for (int i = 0; i < pixels; i++)
            by_vectors(channels, [&](int c, auto e) {
              store(row + size_t(i) * g.out_channels + c, load(partial + i * kMostPanels * kPanel + c, e), e);
            });
        }
        x += pixels;
      }
    }
}

// emit(output pixel index, dots[Cout]) for every output pixel
template <class Emit>
static void convolve(const Words& x, const Words& filter, const ConvGeometry& g, bool zero_pad, const Emit& emit) {
  const size_t row_words = words_per_row(g.in_channels);
  require(x, g.in_pixels() * row_words, "xnor convolution x");
  if (size_t(g.taps()) * units_per_row(g.group_in()) > size_t(kMostUnits)) {
    throw std::runtime_error("xnor convolution: a filter of more than 65,535 inputs is not supported by this kernel");
  }
  const Prepared prepared = locate(filter, g);
  const size_t units = units_per_row(g.group_in());
  std::vector<long> taps;
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < g.kernel_width; kx++)
      taps.push_back((long(ky) * (g.width + 2 * g.pad) + kx) * g.dilation * long(units));
  const auto rows = [&](const Image& image, int n, size_t begin, size_t end, int thread) {
    // pixels of one strip share the filter panels while those are in cache
    const int strip = std::max(1, std::min(g.out_width, 24576 / g.out_channels));
    int32_t* dots = scratch<int32_t>(Scratch::kDots, thread, size_t(strip) * g.out_channels);
    int32_t* border = scratch<int32_t>(Scratch::kTile, thread, g.out_channels);
    for (size_t oy = begin; oy < end; oy++)
      for (int first = 0; first < g.out_width; first += strip) {
        const int columns = std::min(strip, g.out_width - first);
        compute_pixels(g, prepared, image, taps.data(), int(oy), first, columns, dots);
        for (int i = 0; i < columns; i++) {
          int32_t* dot = dots + size_t(i) * g.out_channels;
          if (zero_pad && g.pad > 0 && touches_border(g, int(oy), first + i)) {
            border_sums(g, prepared.tap_sums, int(oy), first + i, border);
            by_vectors(g.out_channels, [&](int c, auto e) { store(dot + c, load(dot + c, e) - load(border + c, e), e); });
          }
          emit((size_t(n) * g.out_height + oy) * g.out_width + first + i, dot);
        }
      }
  };
  const size_t image_words = size_t(g.height) * g.width * row_words;
  if (g.batch >= thread_count()) {
    parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t n = begin; n < end; n++)
        rows(expand_image(g, x.data + n * image_words, thread), int(n), 0, g.out_height, thread);
    });
    return;
  }
  for (int n = 0; n < g.batch; n++) {
    const Image image = expand_image(g, x.data + n * image_words, 0);
    const size_t work = size_t(g.out_width) * g.taps() * g.group_in() * g.out_channels;
    parallel_ranges(g.out_height, 1 + 4000000 / (work + 1), [&](size_t begin, size_t end, int thread) {
      rows(image, n, begin, end, thread);
    });
  }
}

}  // namespace xnor

static void prepareXnorFilter(Words words, Words prepared, Ints geometry) {
  const ConvGeometry g(geometry);
  const size_t stride = words_per_row(g.group_in());
  require(words, size_t(g.out_channels) * g.taps() * stride, "prepareXnorFilter words");
  const auto target = xnor::locate(prepared, g);
  uint8_t* panels = const_cast<uint8_t*>(target.panels);
  int32_t* sums = const_cast<int32_t*>(target.tap_sums);
  parallel_ranges(size_t(g.groups) * target.group_panels, 1, [&](size_t begin, size_t end, int) {
    for (size_t panel = begin; panel < end; panel++) {
      const int group = int(panel / target.group_panels), first = int(panel % target.group_panels) * xnor::kPanel;
      xnor::prepare_panel(
          g.taps(), g.group_in(),
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

static void xnorConv2d(Words x, Words filter, Ints out, Ints geometry, int zero_pad) {
  const ConvGeometry g(geometry);
  require(out, g.out_size(), "xnorConv2d out");
  xnor::convolve(x, filter, g, zero_pad, [&](size_t pixel, const int32_t* dots) {
    std::memcpy(out.data + pixel * g.out_channels, dots, sizeof(int32_t) * g.out_channels);
  });
}

static void xnorConv2dScaled(Words x, Words filter, Floats alpha, Floats scale, Floats shift, Floats out, Ints geometry,
                             int zero_pad) {
  const ConvGeometry g(geometry);
  require(alpha, g.out_channels, "xnorConv2dScaled alpha");
  require(out, g.out_size(), "xnorConv2dScaled out");
  if (scale.size == 0) {
    xnor::convolve(x, filter, g, zero_pad, [&](size_t pixel, const int32_t* dots) {
      float* row = out.data + pixel * g.out_channels;
      by_vectors(g.out_channels, [&](int c, auto e) { store(row + c, to_floats(dots + c, e) * load(alpha.data + c, e), e); });
    });
    return;
  }
  require(scale, g.out_channels, "xnorConv2dScaled scale");
  require(shift, g.out_channels, "xnorConv2dScaled shift");
  xnor::convolve(x, filter, g, zero_pad, [&](size_t pixel, const int32_t* dots) {
    float* row = out.data + pixel * g.out_channels;
    by_vectors(g.out_channels, [&](int c, auto e) {
      const Vec scaled = to_floats(dots + c, e) * load(alpha.data + c, e);
      store(row + c, scaled * load(scale.data + c, e) + load(shift.data + c, e), e);
    });
  });
}

static void xnorConv2dThreshold(Words x, Words filter, Ints threshold, Ints flip, Words out, Ints geometry, int zero_pad) {
  const ConvGeometry g(geometry);
  require(threshold, g.out_channels, "xnorConv2dThreshold threshold");
  require(flip, g.out_channels, "xnorConv2dThreshold flip");
  const size_t stride = words_per_row(g.out_channels);
  require(out, g.out_pixels() * stride, "xnorConv2dThreshold out");
  xnor::convolve(x, filter, g, zero_pad, [&](size_t pixel, const int32_t* dots) {
    uint32_t* row = out.data + pixel * stride;
    for (size_t w = 0; w < stride; w++) row[w] = 0;
    int c = 0;
    for (; c + kLanes <= g.out_channels; c += kLanes) {
      VecInt dot, bound, flipped;
      std::memcpy(&dot, dots + c, sizeof(dot));
      std::memcpy(&bound, threshold.data + c, sizeof(bound));
      std::memcpy(&flipped, flip.data + c, sizeof(flipped));
      const VecInt turned = (VecInt)(flipped != 0);
      const VecInt negative = ((VecInt)(dot < bound) & ~turned) | ((VecInt)(dot > bound) & turned);
      row[c >> 5] |= bits::mask_of(negative) << (c & 31);
    }
    for (; c < g.out_channels; c++) {
      const bool negative = flip.data[c] ? dots[c] > threshold.data[c] : dots[c] < threshold.data[c];
      row[c >> 5] |= uint32_t(negative) << (c & 31);
    }
  });
}

// A convolution over an image of one row: every row of `a` is a pixel.
static void xnorGemm(Words a, Words b, Ints out, int m, int n, int k) {
  require(out, size_t(m) * n, "xnorGemm out");
  int32_t fields[13] = {1, m, 1, k, 1, 1, n, 1, 0, 1, 1, m, 1};
  const Ints geometry{fields, 13};
  const ConvGeometry g(geometry);
  const size_t needed = xnor::panel_bytes(g) * xnor::group_panels(g) / 4 + n;
  const Words prepared{scratch<uint32_t>(Scratch::kFilter, 0, needed), needed};
  prepareXnorFilter(b, prepared, geometry);
  xnorConv2d(a, prepared, out, geometry, 1);
}

// The inner kernel's instructions without memory: the speed limit that the benchmark compares with. operations[0] receives how many
// binary multiply-accumulates (times 2) were done.
static void xnorPeak(int rounds, Floats operations) {
  require(operations, 1, "xnorPeak operations");
  operations.data[0] = float(xnor::register_only(rounds));
}
