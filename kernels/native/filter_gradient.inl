// Gradient of a convolution's filter: (6 input values x one panel of output channels) stay in registers while all pixels of a block of
// images run by; the input may be floats or packed signs.
namespace conv {

// out[i][:] += sum over pixels of x[pixel][i] * dy[pixel][:] for i < kValues; both operands are packed contiguously
template <int kValues, int kVectors>
static void filter_tile(const float* x, long x_pixel, long x_row, long x_image, const float* dy, int images, int rows,
                        int columns, float* out, int ldo, int channels) {
  constexpr int kColumns = kVectors * kLanes;
  Vec acc[kValues][kVectors] = {};
  for (int n = 0; n < images; n++)
    for (int y = 0; y < rows; y++) {
      const float* a = x + n * x_image + y * x_row;
      for (int p = 0; p < columns; p++, a += x_pixel, dy += kColumns) {
        Vec gradient[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) gradient[v] = load(dy + v * kLanes);
#pragma GCC unroll 6
        for (int i = 0; i < kValues; i++) {
          const Vec value = broadcast(a[i]);
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; v++) acc[i][v] = multiply_add(value, gradient[v], acc[i][v]);
        }
      }
    }
  float row[kColumns];
  for (int i = 0; i < kValues; i++) {
    for (int v = 0; v < kVectors; v++) store(row + v * kLanes, acc[i][v]);
    for (int j = 0; j < channels; j++) out[size_t(i) * ldo + j] += row[j];
  }
}

// pixel_row(image, y, x, scratch row) gives the channels of one padded input pixel. Inputs are packed as
// [tile of 6 channels][image][padded pixel][6], output gradients as [panel][image][pixel][column]: strided access to a wide
// NHWC image would fall on few cache sets.
template <class PixelRow>
static void backward_filter(const ConvGeometry& g, Floats dy, Floats dfilter, const PixelRow& pixel_row) {
  const int group_in = g.group_in(), group_out = g.group_out();
  const Panels panels(group_out);
  const int columns = panels.columns;
  const int padded_width = g.width + 2 * g.pad, padded_height = g.height + 2 * g.pad;
  const int tiles = (group_in + kMostPixels - 1) / kMostPixels;
  const auto first_channel = [&](int tile) { return group_in * tile / tiles; };
  const size_t padded_pixels = size_t(padded_width) * padded_height, out_pixels = size_t(g.out_height) * g.out_width;
  // A tile and a panel of a block of images stay in a core's L2. A block is a sum of its own, so its size may not depend on a panel's width.
  const size_t image_bytes = 4 * (padded_pixels * kMostPixels + out_pixels * std::min(kSumLanes, round_up(group_out, kSumLanes / 2)));
  const size_t l2_share = 256 * 1024;
  const int block = int(std::max<size_t>(1, std::min<size_t>(g.batch, l2_share / image_bytes)));
  const size_t tile_size = block * padded_pixels * kMostPixels, panel_size = block * out_pixels * columns;
  float* inputs = scratch<float>(Scratch::kGradient, 0, tile_size * tiles * g.groups);
  // gradients of exactly one panel already have the packed layout
  const bool packed = g.groups == 1 && group_out == columns;
  float* panels_out = packed ? nullptr : scratch<float>(Scratch::kPanelB, 0, panel_size * panels.count * g.groups);
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
    const float* gradients = packed ? dy.data + n0 * out_pixels * columns : panels_out;
    parallel_ranges(packed ? 0 : size_t(g.groups) * panels.count * count, 1, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i++) {
        const size_t panel = i / count, n = i % count;
        const int first = int(panel % panels.count) * columns;
        const float* from = dy.data + (n0 + n) * out_pixels * g.out_channels + panel / panels.count * group_out + first;
        gemm::pack_panel(false, from, g.out_channels, int(out_pixels), std::min(columns, group_out - first), columns,
                         panels_out + panel * panel_size + n * out_pixels * columns);
      }
    });
    const size_t units = size_t(tiles) * g.taps();
    parallel_ranges(g.groups * panels.count * units, 1, [&](size_t begin, size_t end, int) {
      for (size_t unit = begin; unit < end; unit++) {
        const size_t panel = unit / units;
        const int group = int(panel / panels.count), first = int(panel % panels.count) * columns;
        const int t = int(unit % units) / g.taps(), tap = int(unit % g.taps());
        const int ky = tap / g.kernel_width, kx = tap % g.kernel_width, from = first_channel(t);
        const float* x = inputs + (size_t(group) * tiles + t) * tile_size +
                         (size_t(ky) * padded_width + kx) * g.dilation * kMostPixels;
        float* out = dfilter.data + (size_t(tap) * group_in + from) * g.out_channels + group * group_out + first;
        const auto compute = [&](auto kernel) {
          kernel(x, long(g.stride) * kMostPixels, long(g.stride) * padded_width * kMostPixels,
                 long(padded_pixels) * kMostPixels, gradients + panel * panel_size, count, g.out_height, g.out_width, out,
                 g.out_channels, std::min(columns, group_out - first));
        };
        panels.with_vectors([&](auto vectors) {
          switch (first_channel(t + 1) - from) {
            case 1: compute(filter_tile<1, vectors>); break;
            case 2: compute(filter_tile<2, vectors>); break;
            case 3: compute(filter_tile<3, vectors>); break;
            case 4: compute(filter_tile<4, vectors>); break;
            case 5: compute(filter_tile<5, vectors>); break;
            default: compute(filter_tile<6, vectors>); break;
          }
        });
      }
    });
  }
}

// Grouped convolutions of packed signs: unpacked pixel by pixel (sign_filter_gradient.inl takes the others).
static void backward_filter_of_signs(const ConvGeometry& g, Words x, Floats dy, Floats dfilter, bool zero_pad) {
  const size_t stride = words_per_row(g.in_channels);
  const std::vector<float> border(g.in_channels, zero_pad ? 0.0f : 1.0f);
  backward_filter(g, dy, dfilter, [&](int n, int py, int px, float* row) -> const float* {
    if (py < 0 || py >= g.height || px < 0 || px >= g.width) return border.data();
    bits::unpack_row(x.data + ((size_t(n) * g.height + py) * g.width + px) * stride, g.in_channels, row);
    return row;
  });
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
