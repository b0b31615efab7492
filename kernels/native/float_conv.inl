// Float convolutions without im2col: the image is copied once into a padded buffer, and tiles of up to 6 neighbouring output
// pixels by one panel of output channels stay in registers while all taps run by. The gradient of the input is the same loop
// over the output gradient, once per stride phase.
namespace conv {

using gemm::Panels;
constexpr int kMostPixels = 6;

// A rectangle of outputs, each the sum over taps of `run` contiguous input floats times a [run, panel] block of weights.
struct Rows {
  const float* image;   // input of output (0,0) at tap offset 0
  long pixel_step, row_step;
  const long* taps;     // offset of each tap from the output's input position
  int tap_count, run;
  const float* weights;  // [panel][tap][run][columns of a panel]
  float* out;
  long out_pixel_step, out_row_step;
  int columns, channels;  // outputs per row; channels of this output
  Panels panels;
};

template <int kPixels, int kVectors>
static void tile(const Rows& r, const float* image, const float* weights, float* out, int channels) {
  constexpr int kColumns = kVectors * kLanes;
  Vec acc[kPixels][kVectors] = {};
  const long step = r.pixel_step;
  for (int t = 0; t < r.tap_count; t++) {
    const float* a = image + r.taps[t];
    for (int l = 0; l < r.run; l++) {
      Vec column[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) column[v] = load(weights + v * kLanes);
#pragma GCC unroll 6
      for (int i = 0; i < kPixels; i++) {
        const Vec pixel = broadcast(a[i * step + l]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) acc[i][v] = multiply_add(pixel, column[v], acc[i][v]);
      }
      weights += kColumns;
    }
  }
  if (channels == kColumns) {
#pragma GCC unroll 6
    for (int i = 0; i < kPixels; i++)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) store(out + i * r.out_pixel_step + v * kLanes, acc[i][v]);
    return;
  }
  float row[kColumns];
  for (int i = 0; i < kPixels; i++) {
    for (int v = 0; v < kVectors; v++) store(row + v * kLanes, acc[i][v]);
    std::memcpy(out + i * r.out_pixel_step, row, sizeof(float) * channels);
  }
}

template <int kVectors>
static void compute_row(const Rows& r, int y, int panel) {
  constexpr int kColumns = kVectors * kLanes;
  const int channels = std::min(kColumns, r.channels - panel * kColumns);
  const float* weights = r.weights + size_t(panel) * r.tap_count * r.run * kColumns;
  const int tiles = (r.columns + kMostPixels - 1) / kMostPixels;
  for (int t = 0, x = 0; t < tiles; t++) {
    const int pixels = (r.columns - x) / (tiles - t);  // even tiles: 8 pixels are 4 + 4, not 6 + 2
    const float* image = r.image + y * r.row_step + x * r.pixel_step;
    float* out = r.out + y * r.out_row_step + x * r.out_pixel_step + panel * kColumns;
    switch (pixels) {
      case 1: tile<1, kVectors>(r, image, weights, out, channels); break;
      case 2: tile<2, kVectors>(r, image, weights, out, channels); break;
      case 3: tile<3, kVectors>(r, image, weights, out, channels); break;
      case 4: tile<4, kVectors>(r, image, weights, out, channels); break;
      case 5: tile<5, kVectors>(r, image, weights, out, channels); break;
      default: tile<6, kVectors>(r, image, weights, out, channels); break;
    }
    x += pixels;
  }
}

static void compute_rows(const Rows& r, int first, int last) {
  r.panels.with_vectors([&](auto vectors) {
    for (int p = 0; p < r.panels.count; p++)
      for (int y = first; y < last; y++) compute_row<vectors>(r, y, p);
  });
}

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

// Fewest products for which it pays to wake another thread.
constexpr size_t kProductsOfThread = 500000;

// Runs `compute(image index, first row, last row, thread)` over a batch: whole images per thread when there are enough of them.
template <class Prepare, class Compute>
static void over_batch(const ConvGeometry& g, int rows, const Prepare& prepare, const Compute& compute) {
  if (g.batch >= thread_count()) {
    parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t n = begin; n < end; n++) {
        prepare(int(n), thread);
        compute(int(n), 0, rows, thread);
      }
    });
    return;
  }
  const size_t row_products = size_t(g.out_height) * g.out_width * g.out_channels * g.taps() * g.group_in() / rows;
  for (int n = 0; n < g.batch; n++) {
    prepare(n, 0);
    parallel_ranges(rows, 1 + kProductsOfThread / (row_products + 1), [&](size_t begin, size_t end, int) { compute(n, int(begin), int(end), 0); });
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
  const int group_in = g.group_in(), group_out = g.group_out();
  const Panels panels(group_out);
  const int padded_width = g.width + 2 * g.pad, padded_height = g.height + 2 * g.pad;
  const bool merged = g.groups == 1 && g.dilation == 1;  // then a kernel row is contiguous in memory
  const int run = merged ? g.kernel_width * g.in_channels : group_in;
  std::vector<long> taps;
  for (int ky = 0; ky < g.kernel_height; ky++)
    for (int kx = 0; kx < (merged ? 1 : g.kernel_width); kx++)
      taps.push_back((long(ky) * padded_width + kx) * g.dilation * g.in_channels);
  const size_t panel_size = size_t(g.taps()) * group_in * panels.columns;
  float* packed = scratch<float>(Scratch::kFilter, 0, g.groups * panels.count * panel_size);
  parallel_ranges(size_t(g.groups) * panels.count, 4, [&](size_t begin, size_t end, int) {
    for (size_t p = begin; p < end; p++) {
      const int first = int(p % panels.count) * panels.columns;
      gemm::pack_panel(false, filter.data + (p / panels.count) * group_out + first, g.out_channels, g.taps() * group_in,
                       std::min(panels.columns, group_out - first), panels.columns, packed + p * panel_size);
    }
  });
  float* images[64];
  over_batch(
      g, g.out_height,
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
                          packed + group * panels.count * panel_size,
                          y.data + size_t(n) * g.out_height * g.out_width * g.out_channels + group * group_out,
                          g.out_channels, long(g.out_width) * g.out_channels, g.out_width, group_out,
                          panels};
          compute_rows(rows, first, last);
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
  const int group_in = g.group_in(), group_out = g.group_out();
  const Panels panels(group_in);
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
    total += phase.taps.size() * group_out * panels.columns * panels.count * g.groups;
    for (const Tap& tap : phase.taps)
      phase.offsets.push_back((long(low + tap.row) * padded_width + low + tap.column) * g.out_channels);
  }
  float* packed = scratch<float>(Scratch::kFilter, 0, total);
  for (const auto& phase : phases)
    parallel_ranges(size_t(g.groups) * panels.count, 4, [&](size_t begin, size_t end, int) {
      for (size_t p = begin; p < end; p++) {
        const int group = int(p / panels.count), first = int(p % panels.count) * panels.columns;
        const int inputs = std::min(panels.columns, group_in - first);
        float* out = packed + phase.first_panel + p * phase.taps.size() * group_out * panels.columns;
        for (const Tap& tap : phase.taps) {
          const float* from =
              filter.data + (size_t(tap.ky * g.kernel_width + tap.kx) * group_in + first) * g.out_channels + group * group_out;
          gemm::pack_panel(true, from, g.out_channels, group_out, inputs, panels.columns, out);
          out += size_t(group_out) * panels.columns;
        }
      }
    });
  float* images[64];
  over_batch(
      g, last_row + 1,
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
                            packed + phase.first_panel + size_t(group) * panels.count * phase.taps.size() * group_out * panels.columns,
                            image_out + (size_t(phase.y) * g.width + phase.x) * g.in_channels + group * group_in,
                            long(g.stride) * g.in_channels, long(g.stride) * g.width * g.in_channels, columns, group_in,
                            panels};
            const int phase_rows = (g.height - 1 - phase.y) / g.stride + 1;
            compute_rows(rows, first, std::min(last, phase_rows));
          }
      });
}
