// Float convolutions without im2col: the image is copied once into a padded buffer, and tiles of up to 6 neighbouring output
// pixels by one panel of output channels stay in registers while all taps run by. The gradient of the input is the same loop
// over the output gradient, once per stride phase; the gradient of the filter keeps (6 input values x one panel) in registers
// while all pixels run by.
namespace conv {

using gemm::kColumns;
constexpr int kMostPixels = 6;

// A rectangle of outputs, each the sum over taps of `run` contiguous input floats times a [run, panel] block of weights.
struct Rows {
  const float* image;   // input of output (0,0) at tap offset 0
  long pixel_step, row_step;
  const long* taps;     // offset of each tap from the output's input position
  int tap_count, run;
  const float* panels;  // [panel][tap][run][kColumns]
  float* out;
  long out_pixel_step, out_row_step;
  int columns, channels;  // outputs per row; channels of this output
};

template <int kPixels>
static void tile(const Rows& r, const float* image, const float* weights, float* out, int channels) {
  Vec acc[kPixels][kPanelVectors] = {};
  const long step = r.pixel_step;
  for (int t = 0; t < r.tap_count; t++) {
    const float* a = image + r.taps[t];
    for (int l = 0; l < r.run; l++) {
      Vec column[kPanelVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kPanelVectors; v++) column[v] = load(weights + v * kLanes);
#pragma GCC unroll 6
      for (int i = 0; i < kPixels; i++) {
        const Vec pixel = broadcast(a[i * step + l]);
#pragma GCC unroll 4
        for (int v = 0; v < kPanelVectors; v++) acc[i][v] = multiply_add(pixel, column[v], acc[i][v]);
      }
      weights += kColumns;
    }
  }
  if (channels == kColumns) {
#pragma GCC unroll 6
    for (int i = 0; i < kPixels; i++)
#pragma GCC unroll 4
      for (int v = 0; v < kPanelVectors; v++) store(out + i * r.out_pixel_step + v * kLanes, acc[i][v]);
    return;
  }
  float row[kColumns];
  for (int i = 0; i < kPixels; i++) {
    for (int v = 0; v < kPanelVectors; v++) store(row + v * kLanes, acc[i][v]);
    std::memcpy(out + i * r.out_pixel_step, row, sizeof(float) * channels);
  }
}

static void compute_row(const Rows& r, int y, int panel) {
  const int channels = std::min(kColumns, r.channels - panel * kColumns);
  const float* weights = r.panels + size_t(panel) * r.tap_count * r.run * kColumns;
  const int tiles = (r.columns + kMostPixels - 1) / kMostPixels;
  for (int t = 0, x = 0; t < tiles; t++) {
    const int pixels = (r.columns - x) / (tiles - t);  // even tiles: 8 pixels are 4 + 4, not 6 + 2
    const float* image = r.image + y * r.row_step + x * r.pixel_step;
    float* out = r.out + y * r.out_row_step + x * r.out_pixel_step + panel * kColumns;
    switch (pixels) {
      case 1: tile<1>(r, image, weights, out, channels); break;
      case 2: tile<2>(r, image, weights, out, channels); break;
      case 3: tile<3>(r, image, weights, out, channels); break;
      case 4: tile<4>(r, image, weights, out, channels); break;
      case 5: tile<5>(r, image, weights, out, channels); break;
      default: tile<6>(r, image, weights, out, channels); break;
    }
    x += pixels;
  }
}

static int panel_count(int channels) { return (channels + kColumns - 1) / kColumns; }

// Copies one image into the middle of a zeroed, larger one.
static void pad_image(const float* x, int height, int width, int channels, int top, int left, int padded_width,
                      int padded_height, float* out) {
  const size_t row = size_t(padded_width) * channels, inner = size_t(width) * channels;
  for (int y = 0; y < padded_height; y++, out += row) {
    const int from = y - top;
    if (from < 0 || from >= height) {
      std::memset(out, 0, sizeof(float) * row);
      continue;
    }
    std::memset(out, 0, sizeof(float) * left * channels);
    std::memcpy(out + size_t(left) * channels, x + from * inner, sizeof(float) * inner);
    std::memset(out + size_t(left) * channels + inner, 0, sizeof(float) * (row - size_t(left) * channels - inner));
  }
}

// Runs `job(image index, first row, last row, thread)` over a batch: whole images per thread when there are enough of them.
template <class Prepare, class Compute>
static void over_batch(int batch, int rows, const Prepare& prepare, const Compute& compute) {
  if (batch >= thread_count()) {
    parallel_ranges(batch, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t n = begin; n < end; n++) {
        prepare(int(n), thread);
        compute(int(n), 0, rows, thread);
      }
    });
    return;
  }
  for (int n = 0; n < batch; n++) {
    prepare(n, 0);
    parallel_ranges(rows, 1, [&](size_t begin, size_t end, int) { compute(n, int(begin), int(end), 0); });
  }
}

// A 1x1 convolution is a matrix product over pixels.
static bool is_product(const ConvGeometry& g) {
  return g.taps() == 1 && g.stride == 1 && g.pad == 0 && g.groups == 1;
}

static bool is_depthwise(const ConvGeometry& g) { return g.groups > 1 && g.group_in() == 1 && g.group_out() == 1; }

// body(output pixel offset, input pixel offset, tap) over the taps inside the image
template <class Body>
static void depthwise_products(const ConvGeometry& g, int n, const Body& body) {
  for (int oy = 0; oy < g.out_height; oy++)
    for (int ox = 0; ox < g.out_width; ox++)
      for (int ky = 0; ky < g.kernel_height; ky++)
        for (int kx = 0; kx < g.kernel_width; kx++) {
          const int iy = oy * g.stride - g.pad + ky * g.dilation, ix = ox * g.stride - g.pad + kx * g.dilation;
          if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
          body(((size_t(n) * g.out_height + oy) * g.out_width + ox) * g.out_channels,
               ((size_t(n) * g.height + iy) * g.width + ix) * g.in_channels,
               size_t(ky * g.kernel_width + kx) * g.out_channels);
        }
}

}  // namespace conv

static void conv2d(Floats x, Floats filter, Floats y, Ints geometry) {
  using namespace conv;
  const ConvGeometry g(geometry);
  require(x, g.in_size(), "conv2d x");
  require(filter, g.filter_size(), "conv2d filter");
  require(y, g.out_size(), "conv2d y");
  if (is_product(g)) return sgemm(0, 0, int(g.in_pixels()), g.out_channels, g.in_channels, x, filter, 0, y);
  if (is_depthwise(g)) {
    parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int) {
      const size_t image = size_t(g.out_height) * g.out_width * g.out_channels;
      std::memset(y.data + begin * image, 0, sizeof(float) * (end - begin) * image);
      for (size_t n = begin; n < end; n++)
        depthwise_products(g, int(n), [&](size_t o, size_t i, size_t f) {
          for (int c = 0; c < g.out_channels; c++) y.data[o + c] += x.data[i + c] * filter.data[f + c];
        });
    });
    return;
  }
  const int group_in = g.group_in(), group_out = g.group_out(), panels = panel_count(group_out);
  const int padded_width = g.width + 2 * g.pad, padded_height = g.height + 2 * g.pad;
  const bool merged = g.groups == 1 && g.dilation == 1;  // then a kernel row is contiguous in memory
  const int run = merged ? g.kernel_width * g.in_channels : group_in;
  std::vector<long> taps;
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < (merged ? 1 : g.kernel_width); kx++)
      taps.push_back((long(ky) * padded_width + kx) * g.dilation * g.in_channels);
  const size_t panel_size = size_t(g.taps()) * group_in * kColumns;
  float* packed = scratch<float>(Scratch::kFilter, 0, g.groups * panels * panel_size);
  parallel_ranges(size_t(g.groups) * panels, 4, [&](size_t begin, size_t end, int) {
    for (size_t p = begin; p < end; p++) {
      const int first = int(p % panels) * kColumns;
      gemm::pack_panel(false, filter.data + (p / panels) * group_out + first, g.out_channels, g.taps() * group_in,
                       std::min(kColumns, group_out - first), packed + p * panel_size);
    }
  });
  float* images[64];
  over_batch(
      g.batch, g.out_height,
      [&](int n, int thread) {
        const float* image = x.data + size_t(n) * g.height * g.width * g.in_channels;
        images[thread] = const_cast<float*>(image);
        if (g.pad == 0) return;
        images[thread] = scratch<float>(Scratch::kImage, thread, size_t(padded_width) * padded_height * g.in_channels);
        pad_image(image, g.height, g.width, g.in_channels, g.pad, g.pad, padded_width, padded_height, images[thread]);
      },
      [&](int n, int first, int last, int thread) {
        for (int group = 0; group < g.groups; group++) {
          const Rows rows{images[thread] + group * group_in, long(g.stride) * g.in_channels,
                          long(g.stride) * padded_width * g.in_channels, taps.data(), int(taps.size()), run,
                          packed + group * panels * panel_size,
                          y.data + size_t(n) * g.out_height * g.out_width * g.out_channels + group * group_out,
                          g.out_channels, long(g.out_width) * g.out_channels, g.out_width, group_out};
          for (int p = 0; p < panels; p++)
            for (int oy = first; oy < last; oy++) compute_row(rows, oy, p);
        }
      });
}

static void conv2dBackwardInput(Floats dy, Floats filter, Floats dx, Ints geometry) {
  using namespace conv;
  const ConvGeometry g(geometry);
  require(dy, g.out_size(), "conv2dBackwardInput dy");
  require(filter, g.filter_size(), "conv2dBackwardInput filter");
  require(dx, g.in_size(), "conv2dBackwardInput dx");
  if (is_product(g)) return sgemm(0, 1, int(g.in_pixels()), g.in_channels, g.out_channels, dy, filter, 0, dx);
  if (is_depthwise(g)) {
    parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int) {
      const size_t image = size_t(g.height) * g.width * g.in_channels;
      std::memset(dx.data + begin * image, 0, sizeof(float) * (end - begin) * image);
      for (size_t n = begin; n < end; n++)
        depthwise_products(g, int(n), [&](size_t o, size_t i, size_t f) {
          for (int c = 0; c < g.out_channels; c++) dx.data[i + c] += dy.data[o + c] * filter.data[f + c];
        });
    });
    return;
  }
  const int group_in = g.group_in(), group_out = g.group_out(), panels = panel_count(group_in);
  // Input row iy = stride*j + phase receives dy row j + (phase + pad - ky*dilation)/stride, where that is whole.
  struct Tap { int ky, kx, row, column; };
  struct Phase { int y, x; std::vector<Tap> taps; std::vector<long> offsets; size_t first_panel; };
  std::vector<Phase> phases;
  int low = 0, high_row = 0, high_column = 0;
  const int last_row = (g.height - 1) / g.stride, last_column = (g.width - 1) / g.stride;
  for (int py = 0; py < std::min(g.stride, g.height); py++)
    for (int px = 0; px < std::min(g.stride, g.width); px++) {
      Phase phase{py, px, {}, {}, 0};
      for (int ky = 0; ky < g.kernel_height; ky++)
        for (int kx = 0; kx < g.kernel_width; kx++) {
          const int ty = py + g.pad - ky * g.dilation, tx = px + g.pad - kx * g.dilation;
          if (ty % g.stride != 0 || tx % g.stride != 0) continue;
          const Tap tap{ky, kx, ty / g.stride, tx / g.stride};
          low = std::max(low, std::max(-tap.row, -tap.column));
          high_row = std::max(high_row, tap.row + last_row - (g.out_height - 1));
          high_column = std::max(high_column, tap.column + last_column - (g.out_width - 1));
          phase.taps.push_back(tap);
        }
      phases.push_back(std::move(phase));
    }
  const int padded_width = g.out_width + low + high_column, padded_height = g.out_height + low + high_row;
  size_t total = 0;
  for (auto& phase : phases) {
    phase.first_panel = total;
    total += phase.taps.size() * group_out * kColumns * panels * g.groups;
    for (const Tap& tap : phase.taps)
      phase.offsets.push_back((long(low + tap.row) * padded_width + low + tap.column) * g.out_channels);
  }
  float* packed = scratch<float>(Scratch::kFilter, 0, total);
  for (const auto& phase : phases)
    parallel_ranges(size_t(g.groups) * panels, 4, [&](size_t begin, size_t end, int) {
      for (size_t p = begin; p < end; p++) {
        const int group = int(p / panels), first = int(p % panels) * kColumns;
        const int inputs = std::min(kColumns, group_in - first);
        float* out = packed + phase.first_panel + p * phase.taps.size() * group_out * kColumns;
        for (const Tap& tap : phase.taps) {
          const float* from =
              filter.data + (size_t(tap.ky * g.kernel_width + tap.kx) * group_in + first) * g.out_channels + group * group_out;
          gemm::pack_panel(true, from, g.out_channels, group_out, inputs, out);
          out += size_t(group_out) * kColumns;
        }
      }
    });
  float* images[64];
  over_batch(
      g.batch, last_row + 1,
      [&](int n, int thread) {
        images[thread] = scratch<float>(Scratch::kImage, thread, size_t(padded_width) * padded_height * g.out_channels);
        pad_image(dy.data + size_t(n) * g.out_height * g.out_width * g.out_channels, g.out_height, g.out_width,
                  g.out_channels, low, low, padded_width, padded_height, images[thread]);
      },
      [&](int n, int first, int last, int thread) {
        float* image_out = dx.data + size_t(n) * g.height * g.width * g.in_channels;
        for (const auto& phase : phases)
          for (int group = 0; group < g.groups; group++) {
            const int columns = (g.width - 1 - phase.x) / g.stride + 1;
            const Rows rows{images[thread] + group * group_out, g.out_channels, long(padded_width) * g.out_channels,
                            phase.offsets.data(), int(phase.offsets.size()), group_out,
                            packed + phase.first_panel + size_t(group) * panels * phase.taps.size() * group_out * kColumns,
                            image_out + (size_t(phase.y) * g.width + phase.x) * g.in_channels + group * group_in,
                            long(g.stride) * g.in_channels, long(g.stride) * g.width * g.in_channels, columns, group_in};
            const int phase_rows = (g.height - 1 - phase.y) / g.stride + 1;
            for (int p = 0; p < panels; p++)
              for (int j = first; j < std::min(last, phase_rows); j++) compute_row(rows, j, p);
          }
      });
}

namespace conv {

// out[i][:] += sum over pixels of x[pixel][i] * dy[pixel][:] for i < kValues; both operands are packed contiguously
template <int kValues>
static void filter_tile(const float* x, long x_pixel, long x_row, long x_image, const float* dy, int images, int rows,
                        int columns, float* out, int ldo, int channels) {
  Vec acc[kValues][kPanelVectors] = {};
  for (int n = 0; n < images; n++)
    for (int y = 0; y < rows; y++) {
      const float* a = x + n * x_image + y * x_row;
      for (int p = 0; p < columns; p++, a += x_pixel, dy += kColumns) {
        Vec gradient[kPanelVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kPanelVectors; v++) gradient[v] = load(dy + v * kLanes);
#pragma GCC unroll 6
        for (int i = 0; i < kValues; i++) {
          const Vec value = broadcast(a[i]);
#pragma GCC unroll 4
          for (int v = 0; v < kPanelVectors; v++) acc[i][v] = multiply_add(value, gradient[v], acc[i][v]);
        }
      }
    }
  float row[kColumns];
  for (int i = 0; i < kValues; i++) {
    for (int v = 0; v < kPanelVectors; v++) store(row + v * kLanes, acc[i][v]);
    for (int j = 0; j < channels; j++) out[size_t(i) * ldo + j] += row[j];
  }
}

// pixel_row(image, y, x, scratch row) gives the channels of one padded input pixel. Inputs are packed as
// [tile of 6 channels][image][padded pixel][6], output gradients as [panel][image][pixel][kColumns]: strided access to a wide
// NHWC image would fall on few cache sets.
template <class PixelRow>
static void backward_filter(const ConvGeometry& g, Floats dy, Floats dfilter, const PixelRow& pixel_row) {
  const int group_in = g.group_in(), group_out = g.group_out(), panels = panel_count(group_out);
  const int padded_width = g.width + 2 * g.pad, padded_height = g.height + 2 * g.pad;
  const int tiles = (group_in + kMostPixels - 1) / kMostPixels;
  const auto first_channel = [&](int tile) { return group_in * tile / tiles; };
  const size_t padded_pixels = size_t(padded_width) * padded_height, out_pixels = size_t(g.out_height) * g.out_width;
  const size_t image_bytes = 4 * (padded_pixels * kMostPixels + out_pixels * kColumns);
  const size_t l2_share = 256 * 1024;  // one tile and one panel of a block of images stay in a core's L2
  const int block = int(std::max<size_t>(1, std::min<size_t>(g.batch, l2_share / image_bytes)));
  const size_t tile_size = block * padded_pixels * kMostPixels, panel_size = block * out_pixels * kColumns;
  float* inputs = scratch<float>(Scratch::kGradient, 0, tile_size * tiles * g.groups);
  // gradients of exactly one panel already have the packed layout
  const bool packed = g.groups == 1 && group_out == kColumns;
  float* panels_out = packed ? nullptr : scratch<float>(Scratch::kPanelB, 0, panel_size * panels * g.groups);
  std::memset(dfilter.data, 0, sizeof(float) * g.filter_size());
  for (int n0 = 0; n0 < g.batch; n0 += block) {
    const int count = std::min(block, g.batch - n0);
    parallel_ranges(size_t(count) * padded_height, 1, [&](size_t begin, size_t end, int thread) {
      float* row = scratch<float>(Scratch::kTile, thread, g.in_channels);
      for (size_t i = begin; i < end; i++) {
        const int n = int(i / padded_height), y = int(i % padded_height);
        for (int x = 0; x < padded_width; x++) {
          const float* pixel = pixel_row(n0 + n, y - g.pad, x - g.pad, row);
          float* to = inputs + (n * padded_pixels + size_t(y) * padded_width + x) * kMostPixels;
          for (int group = 0; group < g.groups; group++)
            for (int t = 0; t < tiles; t++, to += tile_size) {
              // six values where the pixel has them, in two moves; a narrower tile ignores the surplus
              const int from = group * group_in + first_channel(t), rest = g.in_channels - from;
              if (rest >= kMostPixels) std::memcpy(to, pixel + from, sizeof(float) * kMostPixels);
              else std::memcpy(to, pixel + from, sizeof(float) * rest);
            }
        }
      }
    });
    const float* gradients = packed ? dy.data + n0 * out_pixels * kColumns : panels_out;
    parallel_ranges(packed ? 0 : size_t(g.groups) * panels * count, 1, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i++) {
        const size_t panel = i / count, n = i % count;
        const int first = int(panel % panels) * kColumns;
        const float* from = dy.data + (n0 + n) * out_pixels * g.out_channels + panel / panels * group_out + first;
        gemm::pack_panel(false, from, g.out_channels, int(out_pixels), std::min(kColumns, group_out - first),
                         panels_out + panel * panel_size + n * out_pixels * kColumns);
      }
    });
    const size_t units = size_t(tiles) * g.taps();
    parallel_ranges(g.groups * panels * units, 1, [&](size_t begin, size_t end, int) {
      for (size_t unit = begin; unit < end; unit++) {
        const size_t panel = unit / units;
        const int group = int(panel / panels), first = int(panel % panels) * kColumns;
        const int t = int(unit % units) / g.taps(), tap = int(unit % g.taps());
        const int ky = tap / g.kernel_width, kx = tap % g.kernel_width, from = first_channel(t);
        const float* x = inputs + (size_t(group) * tiles + t) * tile_size +
                         (size_t(ky) * padded_width + kx) * g.dilation * kMostPixels;
        float* out = dfilter.data + (size_t(tap) * group_in + from) * g.out_channels + group * group_out + first;
        const auto compute = [&](auto kernel) {
          kernel(x, long(g.stride) * kMostPixels, long(g.stride) * padded_width * kMostPixels,
                 long(padded_pixels) * kMostPixels, gradients + panel * panel_size, count, g.out_height, g.out_width, out,
                 g.out_channels, std::min(kColumns, group_out - first));
        };
        switch (first_channel(t + 1) - from) {
          case 1: compute(filter_tile<1>); break;
          case 2: compute(filter_tile<2>); break;
          case 3: compute(filter_tile<3>); break;
          case 4: compute(filter_tile<4>); break;
          case 5: compute(filter_tile<5>); break;
          default: compute(filter_tile<6>); break;
        }
      }
    });
  }
}

}  // namespace conv

static void conv2dBackwardFilter(Floats x, Floats dy, Floats dfilter, Ints geometry) {
  using namespace conv;
  const ConvGeometry g(geometry);
  require(x, g.in_size(), "conv2dBackwardFilter x");
  require(dy, g.out_size(), "conv2dBackwardFilter dy");
  require(dfilter, g.filter_size(), "conv2dBackwardFilter dfilter");
  if (is_product(g)) return sgemm(1, 0, g.in_channels, g.out_channels, int(g.in_pixels()), x, dy, 0, dfilter);
  if (is_depthwise(g)) {
    std::memset(dfilter.data, 0, sizeof(float) * g.filter_size());
    for (int n = 0; n < g.batch; n++)
      depthwise_products(g, n, [&](size_t o, size_t i, size_t f) {
        for (int c = 0; c < g.out_channels; c++) dfilter.data[f + c] += x.data[i + c] * dy.data[o + c];
      });
    return;
  }
  const std::vector<float> border(g.in_channels, 0.0f);
  backward_filter(g, dy, dfilter, [&](int n, int py, int px, float*) -> const float* {
    if (py < 0 || py >= g.height || px < 0 || px >= g.width) return border.data();
    return x.data + ((size_t(n) * g.height + py) * g.width + px) * g.in_channels;
  });
}

static void conv2dBackwardFilterSigns(Words x, Floats dy, Floats dfilter, Ints geometry, int zero_pad) {
  using namespace conv;
  const ConvGeometry g(geometry);
  const size_t stride = words_per_row(g.in_channels);
  require(x, g.in_pixels() * stride, "conv2dBackwardFilterSigns x");
  require(dy, g.out_size(), "conv2dBackwardFilterSigns dy");
  require(dfilter, g.filter_size(), "conv2dBackwardFilterSigns dfilter");
  if (is_product(g)) {
    const Floats signs{scratch<float>(Scratch::kGradient, 0, g.in_size()), g.in_size()};
    unpackSigns(x, signs, int(g.in_pixels()), g.in_channels);
    return sgemm(1, 0, g.in_channels, g.out_channels, int(g.in_pixels()), signs, dy, 0, dfilter);
  }
  const std::vector<float> border(g.in_channels, zero_pad ? 0.0f : 1.0f);
  backward_filter(g, dy, dfilter, [&](int n, int py, int px, float* row) -> const float* {
    if (py < 0 || py >= g.height || px < 0 || px >= g.width) return border.data();
    bits::unpack_row(x.data + ((size_t(n) * g.height + py) * g.width + px) * stride, g.in_channels, row);
    return row;
  });
}
