// Reductions and maps along rows or channels of a [rows, channels] matrix. Sums are cut into chunks of rows whose size depends on
// the shape alone, so the result does not depend on the number of threads.
namespace channels_ {

constexpr int kChunks = 32;

// Rows of `channels` floats that stay in L1, several arrays of them, while one vector of channels after the other runs along them.
static size_t block_rows(int channels) { return std::max(8, 1024 / channels); }

// partial(first row, last row, float out[width]) adds some rows to the sums of their chunk, which are added in double, in order. The rows
// come in blocks of at most `block`, the chunks from the last to the first if `backwards`.
template <class Partial>
static void reduce(int rows, int width, size_t block, double* total, const Partial& partial, bool backwards = false) {
  const int chunks = std::max(1, std::min(kChunks, rows / 64));
  float* parts = scratch<float>(Scratch::kPartial, 0, size_t(chunks) * width);
  parallel_ranges(chunks, 1 + 32768 / (1 + size_t(rows / chunks) * width), [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const size_t chunk = backwards ? chunks - 1 - i : i;
      float* out = parts + chunk * width;
      std::memset(out, 0, sizeof(float) * width);
      const size_t last = size_t(rows) * (chunk + 1) / chunks;
      for (size_t first = size_t(rows) * chunk / chunks; first < last; first += block) partial(first, std::min(last, first + block), out);
    }
  });
  for (int i = 0; i < width; i++) total[i] = 0;
  for (int chunk = 0; chunk < chunks; chunk++)
    for (int i = 0; i < width; i++) total[i] += parts[size_t(chunk) * width + i];
}

// body(first row, last row, channel, extent) for blocks of rows and lines or vectors of channels. A store may change whatever is behind a reference
// or a pointer to pointers, so that a body copies what it needs into variables of its own before it loops.
template <class Body>
static void over_columns(int rows, int channels, const Body& body) {
  const size_t block = block_rows(channels);
  parallel_ranges(rows, 1 + 32768 / (size_t(channels) + 1), [&](size_t begin, size_t end, int) {
    for (size_t first = begin; first < end; first += block)
      by_lines(channels, [&](int c, auto extent) { body(first, std::min(end, first + block), c, extent); });
  });
}

// The same from the last rows to the first.
template <class Body>
static void over_columns_backwards(int rows, int channels, const Body& body) {
  blocks_backwards(rows, block_rows(channels), 1 + 32768 / (size_t(channels) + 1), [&](size_t begin, size_t end, int) {
    by_lines(channels, [&](int c, auto extent) { body(begin, end, c, extent); });
  });
}

template <class Body>
static void over_rows(int rows, int channels, const Body& body) {
  parallel_ranges(rows, 1 + 32768 / (size_t(channels) + 1), [&](size_t begin, size_t end, int) { body(begin, end); });
}

}  // namespace channels_

static void channelMoments(Floats x, Floats mean, Floats variance, int rows, int channels) {
  require(x, matrix_size(rows, channels), "channelMoments x");
  require(mean, channels, "channelMoments mean");
  require(variance, channels, "channelMoments variance");
  if (rows == 0) {
    std::memset(mean.data, 0, sizeof(float) * channels);
    std::memset(variance.data, 0, sizeof(float) * channels);
    return;
  }
  // squares are taken about the first row, so that a large mean does not cancel the variance
  const float* pivot = x.data;
  std::vector<double> sums(2 * size_t(channels));
  channels_::reduce(rows, 2 * channels, channels_::block_rows(channels), sums.data(), [&](size_t begin, size_t end, float* out) {
    float* sum = out;
    float* squares = out + channels;
    by_lines(channels, [&](int c, auto extent) {
      const auto centre = load(pivot + c, extent);
      auto first = load(sum + c, extent), second = load(squares + c, extent);
      for (size_t r = begin; r < end; r++) {
        const auto centred = load(x.data + r * channels + c, extent) - centre;
        first += centred;
        second += centred * centred;
      }
      store(sum + c, first, extent);
      store(squares + c, second, extent);
    });
  }, true);
  for (int c = 0; c < channels; c++) {
    const double centre = sums[c] / rows, second = sums[channels + c] / rows - centre * centre;
    mean.data[c] = float(pivot[c] + centre);
    variance.data[c] = float(second > 0 ? second : 0);
  }
}

static void channelAffine(Floats x, Floats scale, Floats shift, Floats residual, float low, float high, Floats y, int rows,
                          int channels) {
  const size_t size = matrix_size(rows, channels);
  require(x, size, "channelAffine x");
  require(scale, channels, "channelAffine scale");
  require(shift, channels, "channelAffine shift");
  require(y, size, "channelAffine y");
  if (residual.size > 0) require(residual, size, "channelAffine residual");
  channels_::over_columns(rows, channels, [&](size_t begin, size_t end, int c, auto extent) {
    const auto a = load(scale.data + c, extent), b = load(shift.data + c, extent);
    const Vec bottom = broadcast(low), top = broadcast(high);
    const float *from = x.data, *added = residual.size > 0 ? residual.data : nullptr;
    float* to = y.data;
    for (size_t i = begin * channels + c, last = end * channels, step = channels; i < last; i += step) {
      auto value = load(from + i, extent) * a + b;
      if (added) value += load(added + i, extent);
      store(to + i, each([=](Vec v, Vec) { return clamped(v, bottom, top); }, value, value), extent);
    }
  });
}

namespace channels_ {

// What reaches a normalisation with a clamp behind it: `direct` and `sloped` may be null, the other is not; `slope` is of what the
// clamp let out, y.
struct Arriving {
  const float *direct, *sloped, *y;
  bool clamps;
  float low, high;

  template <class Slope, class Extent>
  Vec at(size_t i, const Slope& slope, Extent e) const {
    Vec g;
    if (sloped) {
      g = slope(load(y + i, e), load(sloped + i, e));
      if (direct) g += load(direct + i, e);
    } else {
      g = load(direct + i, e);
    }
    if (!clamps) return g;
    const Vec out = load(y + i, e);
    return select((VecInt)(out > broadcast(low)) & (VecInt)(out < broadcast(high)), g, Vec{});
  }
  template <class Slope>
  Line at(size_t i, const Slope& slope, WholeLine) const {
    return Line::of([&](int part) { return at(i + part * kLanes, slope, Whole{}); });
  }
};

}  // namespace channels_

static void batchNormBackward(Floats x, Floats y, Floats direct, Floats sloped, int op, float p0, float p1, float low, float high,
                              Floats mean, Floats inv_std, Floats gamma, Floats g, Floats dx, Floats dgamma, Floats dbeta, int rows,
                              int channels) {
  using namespace channels_;
  const size_t size = matrix_size(rows, channels);
  const bool clamps = low > -INFINITY || high < INFINITY;
  require(x, size, "batchNormBackward x");
  if (clamps || sloped.size > 0) require(y, size, "batchNormBackward y");
  if (direct.size > 0 || sloped.size == 0) require(direct, size, "batchNormBackward direct");
  if (sloped.size > 0) require(sloped, size, "batchNormBackward sloped");
  require(g, size, "batchNormBackward g");
  require(dx, size, "batchNormBackward dx");
  for (const Floats& vector : {mean, inv_std, gamma, dgamma, dbeta}) require(vector, channels, "batchNormBackward channels");
  const Arriving arriving{direct.size > 0 ? direct.data : nullptr, sloped.size > 0 ? sloped.data : nullptr, y.data, clamps, low, high};
  std::vector<double> sums(2 * size_t(channels));
  const auto add_up = [&](auto slope) {
    reduce(rows, 2 * channels, block_rows(channels), sums.data(), [&](size_t begin, size_t end, float* out) {
      by_lines(channels, [&](int c, auto extent) {
        const auto centre = load(mean.data + c, extent);
        const Arriving from = arriving;
        const float* values = x.data;
        float* to = g.data;
        auto sum = load(out + c, extent), dot = load(out + channels + c, extent);
        for (size_t i = begin * channels + c, last = end * channels, step = channels; i < last; i += step) {
          const auto gradient = from.at(i, slope, extent);
          store(to + i, gradient, extent);
          sum += gradient;
          dot += gradient * (load(values + i, extent) - centre);
        }
        store(out + c, sum, extent);
        store(out + channels + c, dot, extent);
      });
    });
  };
  if (arriving.sloped) elementwise::with_slope(op, p0, p1, add_up);
  else add_up([](Vec, Vec gradient) { return gradient; });
  // dx = gamma*invStd*(g - sum/n - (x-mean)*invStd^2*dot/n) = a*g + b*(x-mean) + d
  std::vector<float> a(channels), b(channels), d(channels);
  for (int c = 0; c < channels; c++) {
    const double scale = double(gamma.data[c]) * inv_std.data[c];
    dbeta.data[c] = float(sums[c]);
    dgamma.data[c] = float(sums[channels + c] * inv_std.data[c]);
    a[c] = float(scale);
    b[c] = float(-scale * inv_std.data[c] * inv_std.data[c] * sums[channels + c] / rows);
    d[c] = float(-scale * sums[c] / rows);
  }
  over_columns_backwards(rows, channels, [&](size_t begin, size_t end, int c, auto extent) {
    const auto centre = load(mean.data + c, extent), scale = load(&a[c], extent), slope = load(&b[c], extent), shift = load(&d[c], extent);
    const float *values = x.data, *gradients = g.data;
    float* to = dx.data;
    for (size_t i = begin * channels + c, last = end * channels, step = channels; i < last; i += step) {
      const auto centred = load(values + i, extent) - centre;
      store(to + i, scale * load(gradients + i, extent) + slope * centred + shift, extent);
    }
  });
}

namespace channels_ {

// term(offset, extent) is a vector of addends
template <class Term>
static void reduce_columns(Floats out, int rows, int channels, const Term& term) {
  require(out, channels, "column reduction out");
  std::vector<double> sums(channels);
  reduce(rows, channels, block_rows(channels), sums.data(), [&](size_t begin, size_t end, float* part) {
    by_vectors(channels, [&](int c, auto extent) {
      Vec sum = load(part + c, extent);
      for (size_t r = begin; r < end; r++) sum += term(r * channels + c, extent);
      store(part + c, sum, extent);
    });
  });
  for (int c = 0; c < channels; c++) out.data[c] = float(sums[c]);
}

// A row is summed by 16 lanes, lane i over every 16th channel from i on; then halves are folded upon each other.
struct RowSum {
  static constexpr int kVectors = kSumLanes / kLanes;
  Vec lanes[kVectors] = {};

  float fold() {
    for (int half = kVectors / 2; half > 0; half /= 2)
      for (int v = 0; v < half; v++) lanes[v] += lanes[v + half];
    typedef float Four __attribute__((vector_size(16)));
    Four fours[kLanes / 4];
    std::memcpy(fours, &lanes[0], sizeof(Vec));
    for (int half = kLanes / 8; half > 0; half /= 2)
      for (int i = 0; i < half; i++) fours[i] += fours[i + half];
    return (fours[0][0] + fours[0][2]) + (fours[0][1] + fours[0][3]);
  }
};

template <class Term>
static void reduce_rows(Floats out, int rows, int channels, const Term& term) {
  require(out, rows, "row reduction out");
  over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const size_t row = r * channels;
      RowSum sum;
      int c = 0;
      for (; c + kSumLanes <= channels; c += kSumLanes)
#pragma GCC unroll 4
        for (int v = 0; v < RowSum::kVectors; v++) sum.lanes[v] += term(row + c + v * kLanes, Whole{});
      for (int v = 0; c < channels; v++, c += kLanes) {
        if (c + kLanes <= channels) sum.lanes[v] += term(row + c, Whole{});
        else sum.lanes[v] += term(row + c, Part{channels - c});
      }
      out.data[r] = sum.fold();
    }
  });
}

}  // namespace channels_

static void columnSums(Floats x, Floats out, int rows, int channels) {
  require(x, matrix_size(rows, channels), "columnSums x");
  channels_::reduce_columns(out, rows, channels, [&](size_t i, auto e) { return load(x.data + i, e); });
}

static void columnAbsSums(Floats x, Floats out, int rows, int channels) {
  require(x, matrix_size(rows, channels), "columnAbsSums x");
  channels_::reduce_columns(out, rows, channels, [&](size_t i, auto e) { return absolute(load(x.data + i, e)); });
}

static void columnDots(Floats a, Floats b, Floats out, int rows, int channels) {
  require(a, matrix_size(rows, channels), "columnDots a");
  require(b, matrix_size(rows, channels), "columnDots b");
  channels_::reduce_columns(out, rows, channels, [&](size_t i, auto e) { return load(a.data + i, e) * load(b.data + i, e); });
}

static void rowAbsMeans(Floats x, Floats out, int rows, int channels) {
  require(x, matrix_size(rows, channels), "rowAbsMeans x");
  channels_::reduce_rows(out, rows, channels, [&](size_t i, auto e) { return absolute(load(x.data + i, e)); });
  for (int r = 0; r < rows; r++) out.data[r] /= float(channels);
}

static void rowScale(Floats x, Floats factor, Floats y, int rows, int channels) {
  require(x, matrix_size(rows, channels), "rowScale x");
  require(factor, rows, "rowScale factor");
  require(y, matrix_size(rows, channels), "rowScale y");
  channels_::over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const Vec k = broadcast(factor.data[r]);
      by_vectors(channels, [&](int c, auto e) { store(y.data + r * channels + c, load(x.data + r * channels + c, e) * k, e); });
    }
  });
}

static void rowDots(Floats a, Floats b, Floats out, int rows, int channels) {
  require(a, matrix_size(rows, channels), "rowDots a");
  require(b, matrix_size(rows, channels), "rowDots b");
  channels_::reduce_rows(out, rows, channels, [&](size_t i, auto e) { return load(a.data + i, e) * load(b.data + i, e); });
}

static void prelu(Floats x, Floats slope, Floats y, int rows, int channels) {
  require(x, matrix_size(rows, channels), "prelu x");
  require(slope, channels, "prelu slope");
  require(y, matrix_size(rows, channels), "prelu y");
  channels_::over_columns(rows, channels, [&](size_t begin, size_t end, int c, auto e) {
    const auto factor = load(slope.data + c, e);
    const float* from = x.data;
    float* to = y.data;
    for (size_t i = begin * channels + c, last = end * channels, step = channels; i < last; i += step) {
      const auto value = load(from + i, e);
      store(to + i, each([](Vec v, Vec k) { return select((VecInt)(v >= Vec{}), v, v * k); }, value, factor), e);
    }
  });
}

static void preluBackward(Floats x, Floats slope, Floats dy, Floats dx, Floats dslope, int rows, int channels) {
  const size_t size = matrix_size(rows, channels);
  require(x, size, "preluBackward x");
  require(slope, channels, "preluBackward slope");
  require(dy, size, "preluBackward dy");
  require(dx, size, "preluBackward dx");
  require(dslope, channels, "preluBackward dslope");
  // both results in one pass: maps of this size come from memory
  std::vector<double> sums(channels);
  channels_::reduce(rows, channels, channels_::block_rows(channels), sums.data(), [&](size_t begin, size_t end, float* part) {
    by_vectors(channels, [&](int c, auto e) {
      const Vec factor = load(slope.data + c, e);
      const float *values = x.data, *gradients = dy.data;
      float* to = dx.data;
      Vec sum = load(part + c, e);
      for (size_t i = begin * channels + c, last = end * channels, step = channels; i < last; i += step) {
        const Vec value = load(values + i, e), g = load(gradients + i, e);
        sum += select((VecInt)(value < Vec{}), value * g, Vec{});
        store(to + i, select((VecInt)(value >= Vec{}), g, g * factor), e);
      }
      store(part + c, sum, e);
    });
  });
  for (int c = 0; c < channels; c++) dslope.data[c] = float(sums[c]);
}
