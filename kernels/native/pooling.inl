// Pooling of NHWC images: the channel loop is innermost and vectorises.
namespace pooling {

struct Window {
  int top, bottom, left, right;  // inside the image; bottom and right are exclusive
};

template <class Body>
static void over_windows(const PoolGeometry& g, const Body& body) {
  parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int) {
    for (size_t n = begin; n < end; n++)
      for (int oy = 0; oy < g.out_height; oy++)
        for (int ox = 0; ox < g.out_width; ox++) {
          const int y = oy * g.stride - g.pad, x = ox * g.stride - g.pad;
          const Window window{std::max(0, y), std::min(g.height, y + g.window), std::max(0, x), std::min(g.width, x + g.window)};
          const size_t out = ((n * g.out_height + oy) * g.out_width + ox) * g.channels;
          body(window, n * g.height * g.width * g.channels, out);
        }
  });
}

}  // namespace pooling

static void maxPool(Floats x, Floats y, Ints indices, Ints geometry) {
  const PoolGeometry g(geometry);
  require(x, g.in_size(), "maxPool x");
  require(y, g.out_size(), "maxPool y");
  require(indices, g.out_size(), "maxPool indices");
  VecInt lanes;
  for (int i = 0; i < kLanes; i++) lanes[i] = i;
  pooling::over_windows(g, [&](const pooling::Window& w, size_t image, size_t out) {
    float* best = y.data + out;
    int32_t* chosen = indices.data + out;
    bool first = true;
    for (int iy = w.top; iy < w.bottom; iy++)
      for (int ix = w.left; ix < w.right; ix++) {
        const size_t from = image + (size_t(iy) * g.width + ix) * g.channels;
        const VecInt always = VecInt{} - int32_t(first);
        by_vectors(g.channels, [&](int c, auto e) {
          const Vec value = load(x.data + from + c, e), old = load(best + c, e);
          const VecInt better = (VecInt)(value > old) | always;
          const Vec offset = (Vec)(lanes + int32_t(from + c)), before = (Vec)load(chosen + c, e);
          store(best + c, select(better, value, old), e);
          store(chosen + c, (VecInt)select(better, offset, before), e);
        });
        first = false;
      }
  });
}

static void maxPoolBackward(Floats dy, Ints indices, Floats dx, Ints geometry) {
  const PoolGeometry g(geometry);
  require(dy, g.out_size(), "maxPoolBackward dy");
  require(indices, g.out_size(), "maxPoolBackward indices");
  require(dx, g.in_size(), "maxPoolBackward dx");
  const size_t in_image = g.in_image(), out_image = g.out_image();
  parallel_ranges(g.batch, 1, [&](size_t begin, size_t end, int) {
    std::memset(dx.data + begin * in_image, 0, sizeof(float) * (end - begin) * in_image);
    for (size_t o = begin * out_image; o < end * out_image; o++) {
      const size_t at = size_t(indices.data[o]);
      if (at >= begin * in_image && at < end * in_image) dx.data[at] += dy.data[o];
    }
  });
}

static void avgPool(Floats x, Floats y, Ints geometry) {
  const PoolGeometry g(geometry);
  require(x, g.in_size(), "avgPool x");
  require(y, g.out_size(), "avgPool y");
  pooling::over_windows(g, [&](const pooling::Window& w, size_t image, size_t out) {
    float* sum = y.data + out;
    for (int c = 0; c < g.channels; c++) sum[c] = 0;
    for (int iy = w.top; iy < w.bottom; iy++)
      for (int ix = w.left; ix < w.right; ix++) {
        const float* from = x.data + image + (size_t(iy) * g.width + ix) * g.channels;
        by_vectors(g.channels, [&](int c, auto e) { store(sum + c, load(sum + c, e) + load(from + c, e), e); });
      }
    const float count = float((w.bottom - w.top) * (w.right - w.left));
    for (int c = 0; c < g.channels; c++) sum[c] /= count;
  });
}

static void avgPoolBackward(Floats dy, Floats dx, Ints geometry) {
  const PoolGeometry g(geometry);
  require(dy, g.out_size(), "avgPoolBackward dy");
  require(dx, g.in_size(), "avgPoolBackward dx");
  std::memset(dx.data, 0, sizeof(float) * g.in_size());
  pooling::over_windows(g, [&](const pooling::Window& w, size_t image, size_t out) {
    const float count = float((w.bottom - w.top) * (w.right - w.left));
    for (int iy = w.top; iy < w.bottom; iy++)
      for (int ix = w.left; ix < w.right; ix++) {
        float* to = dx.data + image + (size_t(iy) * g.width + ix) * g.channels;
        by_vectors(g.channels, [&](int c, auto e) { store(to + c, load(to + c, e) + load(dy.data + out + c, e) / count, e); });
      }
  });
}
