// Reductions and maps along rows or channels of a [rows, channels] matrix. Sums are cut into chunks of rows whose size depends on
// the shape alone, so the result does not depend on the number of threads.
namespace channels_ {

constexpr int kChunks = 32;

// partial(first row, last row, float out[width]) fills one chunk; chunks are summed in double, in order.
template <class Partial>
static void reduce(int rows, int width, double* total, const Partial& partial) {
  const int chunks = std::max(1, std::min(kChunks, rows / 64));
  float* parts = scratch<float>(Scratch::kPartial, 0, size_t(chunks) * width);
  parallel_ranges(chunks, 1 + 32768 / (1 + size_t(rows / chunks) * width), [&](size_t begin, size_t end, int) {
    for (size_t chunk = begin; chunk < end; chunk++) {
      float* out = parts + chunk * width;
      std::memset(out, 0, sizeof(float) * width);
      partial(size_t(rows) * chunk / chunks, size_t(rows) * (chunk + 1) / chunks, out);
    }
  });
  for (int i = 0; i < width; i++) total[i] = 0;
  for (int chunk = 0; chunk < chunks; chunk++)
    for (int i = 0; i < width; i++) total[i] += parts[size_t(chunk) * width + i];
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
  channels_::reduce(rows, 2 * channels, sums.data(), [&](size_t begin, size_t end, float* out) {
    float* sum = out;
    float* squares = out + channels;
    by_vectors(channels, [&](int c, auto extent) {
      const Vec centre = load(pivot + c, extent);
      Vec first = {}, second = {};
      for (size_t r = begin; r < end; r++) {
        const Vec centred = load(x.data + r * channels + c, extent) - centre;
        first += centred;
        second += centred * centred;
      }
      store(sum + c, first, extent);
      store(squares + c, second, extent);
    });
  });
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
  channels_::over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const size_t row = r * channels;
      by_vectors(channels, [&](int c, auto extent) {
        Vec value = load(x.data + row + c, extent) * load(scale.data + c, extent) + load(shift.data + c, extent);
        if (residual.size > 0) value += load(residual.data + row + c, extent);
        store(y.data + row + c, clamped(value, broadcast(low), broadcast(high)), extent);
      });
    }
  });
}

static void batchNormBackward(Floats x, Floats dy, Floats mean, Floats inv_std, Floats gamma, Floats dx, Floats dgamma,
                              Floats dbeta, int rows, int channels) {
  const size_t size = matrix_size(rows, channels);
  require(x, size, "batchNormBackward x");
  require(dy, size, "batchNormBackward dy");
  require(dx, size, "batchNormBackward dx");
  for (const Floats& vector : {mean, inv_std, gamma, dgamma, dbeta}) require(vector, channels, "batchNormBackward channels");
  std::vector<double> sums(2 * size_t(channels));
  channels_::reduce(rows, 2 * channels, sums.data(), [&](size_t begin, size_t end, float* out) {
    by_vectors(channels, [&](int c, auto extent) {
      const Vec centre = load(mean.data + c, extent);
      Vec sum = {}, dot = {};
      for (size_t r = begin; r < end; r++) {
        const Vec g = load(dy.data + r * channels + c, extent);
        sum += g;
        dot += g * (load(x.data + r * channels + c, extent) - centre);
      }
      store(out + c, sum, extent);
      store(out + channels + c, dot, extent);
    });
  });
  // dx = gamma*invStd*(dy - sum/n - (x-mean)*invStd^2*dot/n) = a*dy + b*(x-mean) + d
  std::vector<float> a(channels), b(channels), d(channels);
  for (int c = 0; c < channels; c++) {
    const double scale = double(gamma.data[c]) * inv_std.data[c];
    dbeta.data[c] = float(sums[c]);
    dgamma.data[c] = float(sums[channels + c] * inv_std.data[c]);
    a[c] = float(scale);
    b[c] = float(-scale * inv_std.data[c] * inv_std.data[c] * sums[channels + c] / rows);
    d[c] = float(-scale * sums[c] / rows);
  }
  channels_::over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const size_t row = r * channels;
      by_vectors(channels, [&](int c, auto extent) {
        const Vec centred = load(x.data + row + c, extent) - load(mean.data + c, extent);
        const Vec g = load(dy.data + row + c, extent);
        store(dx.data + row + c, load(&a[c], extent) * g + load(&b[c], extent) * centred + load(&d[c], extent), extent);
      });
    }
  });
}

namespace channels_ {

// term(offset, extent) is a vector of addends
template <class Term>
static void reduce_columns(Floats out, int rows, int channels, const Term& term) {
  require(out, channels, "column reduction out");
  std::vector<double> sums(channels);
  reduce(rows, channels, sums.data(), [&](size_t begin, size_t end, float* part) {
    by_vectors(channels, [&](int c, auto extent) {
      Vec sum = {};
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
