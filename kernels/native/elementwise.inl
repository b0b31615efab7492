// Element-wise functions, their derivatives and the surrogate slopes of the sign estimators. No fused multiply-add here
// (-ffp-contract=off): these results are the same on every backend.
namespace elementwise {

template <class Body>
static void over(size_t size, const Body& body) {
  // cut at multiples of the vector width, so that no thread has a ragged start
  const size_t vectors = (size + kLanes - 1) / kLanes;
  parallel_ranges(vectors, 1 + 32768 / kLanes, [&](size_t begin, size_t end, int) {
    body(begin * kLanes, std::min(size, end * kLanes));
  });
}

// y[i] = f(x[i], d[i]) by vectors, the tail through a padded one
template <class Function>
static void map(const float* x, const float* d, float* y, size_t size, const Function& f) {
  over(size, [&](size_t begin, size_t end) {
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) store(y + i, f(load(x + i), load(d + i)));
    if (i == end) return;
    float a[kLanes] = {}, b[kLanes] = {};
    std::memcpy(a, x + i, sizeof(float) * (end - i));
    std::memcpy(b, d + i, sizeof(float) * (end - i));
    store(a, f(load(a), load(b)));
    std::memcpy(y + i, a, sizeof(float) * (end - i));
  });
}

static inline Vec logistic(Vec x) { return 1.0f / (1.0f + exponential(-x)); }
static inline Vec sign(Vec x) { return select((VecInt)(x < broadcast(0)), broadcast(-1), broadcast(1)); }
static inline Vec hyperbolic_tangent(Vec x) {
  const Vec e = exponential(-2.0f * absolute(x));
  const Vec magnitude = (1.0f - e) / (1.0f + e);
  // near 0 the quotient cancels: x - x^3/3
  const Vec small = x - x * x * x * 0.33333333f;
  const Vec signed_ = (Vec)((VecInt)magnitude | ((VecInt)x & int32_t(0x80000000)));
  return select((VecInt)(absolute(x) < broadcast(0.02f)), small, signed_);
}
// A tanh is flat from here on, even in double precision. Its true slope would turn gradients into denormal numbers, which are
// ten times slower to add than normal ones.
constexpr float kFlat = 20;
static inline Vec unless_flat(Vec x, Vec slope) { return select((VecInt)(absolute(x) > broadcast(kFlat)), Vec{}, slope); }

// e^(-2|x|) within 3e-7, from -2|x| = -2*kFlat on: 2^n by adding to the exponent, the rest by a polynomial of degree 5 whose halves do
// not wait for each other. Slopes need no more, and it takes half of the operations of `exponential`.
static inline Vec decay(Vec x) {
  constexpr float kRound = 12582912;  // 1.5 * 2^23: the sum's last bits are a whole number
  const Vec power = maximum(absolute(x) * -2.8853900817779268f, broadcast(-57.70780163555854f));
  const Vec shifted = power + kRound;
  const Vec f = power - (shifted - kRound), f2 = f * f;
  const Vec high = 0.0013264723944865682f * f + 0.009671512877217165f, middle = 0.05550733754056675f * f + 0.24022242080196418f;
  const Vec p = (0.6931469775916618f * f + 1.0f) + f2 * (middle + f2 * high);
  return (Vec)((VecInt)p + ((VecInt)shifted << 23));
}

// 1 - tanh(x)^2 = 4e/(1+e)^2 with e = exp(-2|x|): no cancellation far from 0; beyond kFlat as there
static inline Vec tanh_slope(Vec x) {
  const Vec e = decay(x), d = 1.0f + e;
  return 4.0f * e / (d * d);
}

// body(slope), where slope(v, g) is a gradient g times the derivative at v
template <class Body>
static void with_slope(int op, float p0, float p1, const Body& body) {
  const auto run = [&](auto slope) { body([=](Vec v, Vec g) { return g * slope(v); }); };
  const auto pass = [&](auto test) { body([=](Vec v, Vec g) { return select((VecInt)test(v), g, Vec{}); }); };
  switch (op) {
    case kRelu: return pass([](Vec v) { return v > Vec{}; });
    case kHardtanh: return pass([](Vec v) { return absolute(v) < broadcast(1); });
    case kClipSte: return pass([=](Vec v) { return absolute(v) <= broadcast(p0); });
    case kSigmoid: return run([](Vec v) { const Vec s = logistic(v); return unless_flat(0.5f * v, s * (1.0f - s)); });
    case kTanh: return run([](Vec v) { return tanh_slope(v); });
    case kSoftsign: return run([](Vec v) { const Vec d = 1.0f + absolute(v); return 1.0f / (d * d); });
    case kTriangle: return run([=](Vec v) { return maximum(Vec{}, p0 - p1 * absolute(v)); });
    case kTanhSte: return run([=](Vec v) { return p1 * p0 * tanh_slope(p0 * v); });
    case kTanhWithin:
      return run([=](Vec v) { return select((VecInt)(absolute(v) <= broadcast(1)), p1 * p0 * tanh_slope(p0 * v), Vec{}); });
    case kSoftsignSte: return run([=](Vec v) { const Vec d = 1.0f + p0 * absolute(v); return p0 / (d * d); });
    case kSwishSign:
      return run([=](Vec v) {
        const Vec s = p0 * v;
        const Vec e = exponential(-absolute(s));  // 1 + cosh s = (1+e)^2 / 2e
        return unless_flat(0.5f * s, p0 * (2.0f - s * hyperbolic_tangent(0.5f * s)) * 2.0f * e / ((1.0f + e) * (1.0f + e)));
      });
    default: throw std::runtime_error("unaryBackward: unknown operation");
  }
}

}  // namespace elementwise

static void unary(int op, Floats x, Floats y) {
  using namespace elementwise;
  require(x, y.size, "unary x");
  const auto run = [&](auto f) { map(x.data, x.data, y.data, y.size, [&](Vec v, Vec) { return f(v); }); };
  switch (op) {
    case kRelu: return run([](Vec v) { return select((VecInt)(v < Vec{}), Vec{}, v); });
    case kHardtanh: return run([](Vec v) { return clamped(v, broadcast(-1), broadcast(1)); });
    case kSigmoid: return run([](Vec v) { return logistic(v); });
    case kTanh: return run([](Vec v) { return hyperbolic_tangent(v); });
    case kSoftsign: return run([](Vec v) { return v / (1.0f + absolute(v)); });
    case kClipSte: case kTriangle: case kTanhSte: case kTanhWithin: case kSoftsignSte: case kSwishSign:
      return run([](Vec v) { return sign(v); });
    default: throw std::runtime_error("unary: unknown operation");
  }
}

static void unaryBackward(int op, Floats x, Floats dy, Floats dx, float p0, float p1) {
  require(x, dx.size, "unaryBackward x");
  require(dy, dx.size, "unaryBackward dy");
  elementwise::with_slope(op, p0, p1, [&](auto slope) { elementwise::map(x.data, dy.data, dx.data, dx.size, slope); });
}

static void maskWithin(Floats dy, Floats y, float low, float high, Floats dx) {
  require(dy, dx.size, "maskWithin dy");
  require(y, dx.size, "maskWithin y");
  elementwise::map(y.data, dy.data, dx.data, dx.size, [&](Vec v, Vec g) {
    return select((VecInt)(v > broadcast(low)) & (VecInt)(v < broadcast(high)), g, Vec{});
  });
}

static void add(Floats a, Floats b, Floats y) {
  require(a, y.size, "add a");
  require(b, y.size, "add b");
  elementwise::over(y.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) y.data[i] = a.data[i] + b.data[i];
  });
}

static void multiply(Floats a, Floats b, Floats y) {
  require(a, y.size, "multiply a");
  require(b, y.size, "multiply b");
  elementwise::over(y.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) y.data[i] = a.data[i] * b.data[i];
  });
}

static void blend(Floats x, float factor, float keep, Floats y) {
  require(x, y.size, "blend x");
  elementwise::over(y.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) y.data[i] = factor * x.data[i] + keep * y.data[i];
  });
}

static void clamp(Floats x, float low, float high) {
  elementwise::map(x.data, x.data, x.data, x.size, [&](Vec v, Vec) { return clamped(v, broadcast(low), broadcast(high)); });
}
