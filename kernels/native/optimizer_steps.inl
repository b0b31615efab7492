// One pass over the parameters per step; formulas in src/backend/reference/optimizer-steps.ts.
namespace optimizer {

// A weight that gets no gradient any more, beyond its estimator's clip, lets its moments decay into denormal numbers, and each
// operation on those costs a hundred others. So a moment this small is 0, and so is the square of a gradient whose square would be:
// by comparison, not by a mode of the processor, since those of x86 and Arm differ in their last bit and WebAssembly has none.
constexpr float kLeastMoment = 0x1p-100f, kLeastSquared = 0x1p-56f;

static inline Vec unless_below(float least, Vec value) { return (Vec)((VecInt)value & ~(VecInt)(absolute(value) < broadcast(least))); }
static inline Vec moment(Vec value) { return unless_below(kLeastMoment, value); }
// of the squares of gradients
static inline Vec second_moment(Vec old, Vec gradient, float decay) {
  const Vec root = unless_below(kLeastSquared, gradient);
  return moment(decay * old + (1 - decay) * root * root);
}

// body(i, extent) for every vector of weights
template <class Body>
static void over_weights(size_t size, const Body& body) {
  elementwise::over(size, [&](size_t begin, size_t end) {
    by_vectors(int(end - begin), [&](int i, auto extent) { body(begin + i, extent); });
  });
}

}  // namespace optimizer

static void sgdStep(Floats w, Floats g, Floats velocity, float rate, float momentum, float decay, int nesterov) {
  require(g, w.size, "sgdStep g");
  require(velocity, w.size, "sgdStep velocity");
  optimizer::over_weights(w.size, [=](size_t i, auto e) {
    const Vec old = load(w.data + i, e), gradient = load(g.data + i, e) + decay * old;
    const Vec v = optimizer::moment(momentum * load(velocity.data + i, e) + gradient);
    store(velocity.data + i, v, e);
    store(w.data + i, old - rate * (nesterov ? gradient + momentum * v : v), e);
  });
}

static void adamStep(Floats w, Floats g, Floats m, Floats v, float rate, float beta1, float beta2, float epsilon,
                     float decay, float correction1, float correction2) {
  for (const Floats& other : {g, m, v}) require(other, w.size, "adamStep");
  optimizer::over_weights(w.size, [=](size_t i, auto e) {
    const Vec old = load(w.data + i, e), gradient = load(g.data + i, e) + decay * old;
    const Vec first = optimizer::moment(beta1 * load(m.data + i, e) + (1 - beta1) * gradient);
    const Vec second = optimizer::second_moment(load(v.data + i, e), gradient, beta2);
    store(m.data + i, first, e);
    store(v.data + i, second, e);
    store(w.data + i, old - rate * (first / correction1) / (square_root(second / correction2) + epsilon), e);
  });
}

static void adamaxStep(Floats w, Floats g, Floats m, Floats v, float rate, float beta1, float beta2, float epsilon,
                       float decay, float correction1) {
  for (const Floats& other : {g, m, v}) require(other, w.size, "adamaxStep");
  optimizer::over_weights(w.size, [=](size_t i, auto e) {
    const Vec old = load(w.data + i, e), gradient = load(g.data + i, e) + decay * old;
    const Vec first = optimizer::moment(beta1 * load(m.data + i, e) + (1 - beta1) * gradient);
    const Vec largest = maximum(beta2 * load(v.data + i, e), absolute(gradient) + epsilon);
    store(m.data + i, first, e);
    store(v.data + i, largest, e);
    store(w.data + i, old - rate / correction1 * first / largest, e);
  });
}

static void rmspropStep(Floats w, Floats g, Floats v, float rate, float decay_rate, float epsilon, float decay) {
  for (const Floats& other : {g, v}) require(other, w.size, "rmspropStep");
  optimizer::over_weights(w.size, [=](size_t i, auto e) {
    const Vec old = load(w.data + i, e), gradient = load(g.data + i, e) + decay * old;
    const Vec second = optimizer::second_moment(load(v.data + i, e), gradient, decay_rate);
    store(v.data + i, second, e);
    store(w.data + i, old - rate * gradient / (square_root(second) + epsilon), e);
  });
}
