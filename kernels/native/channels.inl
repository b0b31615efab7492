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
  parallel_ranges(rows, 1 + 32768 / (channels + 1), [&](size_t begin, size_t end, int) { body(begin, end); });
}

}  // namespace channels_

static void channelMoments(Floats x, Floats mean, Floats variance, int rows, int channels) {
  require(x, size_t(rows) * channels, "channelMoments x");
  require(mean, channels, "channelMoments mean");
  require(variance, channels, "channelMoments variance");
  // squares are taken about the first row, so that a large mean does not cancel the variance
  const float* pivot = x.data;
  std::vector<double> sums(2 * size_t(channels));
  channels_::reduce(rows, 2 * channels, sums.data(), [&](size_t begin, size_t end, float* out) {
    float* __restrict sum = out;
    float* __restrict squares = out + channels;
    for (size_t r = begin; r < end; r++) {
      const float* row = x.data + r * channels;
      for (int c = 0; c < channels; c++) {
        const float centred = row[c] - pivot[c];
        sum[c] += centred;
        squares[c] += centred * centred;
      }
    }
  });
  for (int c = 0; c < channels; c++) {
    const double centre = sums[c] / rows, second = sums[channels + c] / rows - centre * centre;
    mean.data[c] = float(pivot[c] + centre);
    variance.data[c] = float(second > 0 ? second : 0);
  }
}

static void channelAffine(Floats x, Floats scale, Floats shift, Floats residual, float low, float high, Floats y, int rows,
                          int channels) {
  const size_t size = size_t(rows) * channels;
  require(x, size, "channelAffine x");
  require(scale, channels, "channelAffine scale");
  require(shift, channels, "channelAffine shift");
  require(y, size, "channelAffine y");
  if (residual.size > 0) require(residual, size, "channelAffine residual");
  channels_::over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const float* in = x.data + r * channels;
      float* out = y.data + r * channels;
      const float* __restrict a = scale.data;
      const float* __restrict b = shift.data;
      if (residual.size > 0) {
        const float* add = residual.data + r * channels;
        for (int c = 0; c < channels; c++) {
          const float value = in[c] * a[c] + b[c] + add[c];
          out[c] = value < low ? low : value > high ? high : value;
        }
      } else {
        for (int c = 0; c < channels; c++) {
          const float value = in[c] * a[c] + b[c];
          out[c] = value < low ? low : value > high ? high : value;
        }
      }
    }
  });
}

static void batchNormBackward(Floats x, Floats dy, Floats mean, Floats inv_std, Floats gamma, Floats dx, Floats dgamma,
                              Floats dbeta, int rows, int channels) {
  const size_t size = size_t(rows) * channels;
  require(x, size, "batchNormBackward x");
  require(dy, size, "batchNormBackward dy");
  require(dx, size, "batchNormBackward dx");
  for (const Floats& vector : {mean, inv_std, gamma, dgamma, dbeta}) require(vector, channels, "batchNormBackward channels");
  std::vector<double> sums(2 * size_t(channels));
  channels_::reduce(rows, 2 * channels, sums.data(), [&](size_t begin, size_t end, float* out) {
    float* __restrict sum = out;
    float* __restrict dot = out + channels;
    for (size_t r = begin; r < end; r++) {
      const float* g = dy.data + r * channels;
      const float* v = x.data + r * channels;
      for (int c = 0; c < channels; c++) {
        sum[c] += g[c];
        dot[c] += g[c] * (v[c] - mean.data[c]);
      }
    }
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
      const float* g = dy.data + r * channels;
      const float* v = x.data + r * channels;
      float* out = dx.data + r * channels;
      for (int c = 0; c < channels; c++) out[c] = a[c] * g[c] + b[c] * (v[c] - mean.data[c]) + d[c];
    }
  });
}

namespace channels_ {

template <class Term>
static void reduce_columns(Floats out, int rows, int channels, const Term& term) {
  require(out, channels, "column reduction out");
  std::vector<double> sums(channels);
  reduce(rows, channels, sums.data(), [&](size_t begin, size_t end, float* part) {
    for (size_t r = begin; r < end; r++)
      for (int c = 0; c < channels; c++) part[c] += term(r * channels + c);
  });
  for (int c = 0; c < channels; c++) out.data[c] = float(sums[c]);
}

template <class Term>
static void reduce_rows(Floats out, int rows, int channels, const Term& term) {
  require(out, rows, "row reduction out");
  over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      float lanes[8] = {};
      int c = 0;
      for (; c + 8 <= channels; c += 8)
        for (int i = 0; i < 8; i++) lanes[i] += term(r * channels + c + i);
      float sum = 0;
      for (; c < channels; c++) sum += term(r * channels + c);
      for (int i = 0; i < 8; i++) sum += lanes[i];
      out.data[r] = sum;
    }
  });
}

}  // namespace channels_

static void columnSums(Floats x, Floats out, int rows, int channels) {
  require(x, size_t(rows) * channels, "columnSums x");
  channels_::reduce_columns(out, rows, channels, [&](size_t i) { return x.data[i]; });
}

static void columnAbsSums(Floats x, Floats out, int rows, int channels) {
  require(x, size_t(rows) * channels, "columnAbsSums x");
  channels_::reduce_columns(out, rows, channels, [&](size_t i) { return __builtin_fabsf(x.data[i]); });
}

static void columnDots(Floats a, Floats b, Floats out, int rows, int channels) {
  require(a, size_t(rows) * channels, "columnDots a");
  require(b, size_t(rows) * channels, "columnDots b");
  channels_::reduce_columns(out, rows, channels, [&](size_t i) { return a.data[i] * b.data[i]; });
}

static void rowAbsMeans(Floats x, Floats out, int rows, int channels) {
  require(x, size_t(rows) * channels, "rowAbsMeans x");
  channels_::reduce_rows(out, rows, channels, [&](size_t i) { return __builtin_fabsf(x.data[i]); });
  for (int r = 0; r < rows; r++) out.data[r] /= float(channels);
}

static void rowScale(Floats x, Floats factor, Floats y, int rows, int channels) {
  require(x, size_t(rows) * channels, "rowScale x");
  require(factor, rows, "rowScale factor");
  require(y, size_t(rows) * channels, "rowScale y");
  channels_::over_rows(rows, channels, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++)
      for (int c = 0; c < channels; c++) y.data[r * channels + c] = x.data[r * channels + c] * factor.data[r];
  });
}

static void rowDots(Floats a, Floats b, Floats out, int rows, int channels) {
  require(a, size_t(rows) * channels, "rowDots a");
  require(b, size_t(rows) * channels, "rowDots b");
  channels_::reduce_rows(out, rows, channels, [&](size_t i) { return a.data[i] * b.data[i]; });
}
