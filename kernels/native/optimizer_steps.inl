// One pass over the parameters per step; formulas in src/backend/reference/optimizer-steps.ts.
namespace optimizer {

// Denormal numbers are 0 as long as it lives.
class FlushDenormals {
#if defined(__x86_64__)
  const unsigned saved_ = _mm_getcsr();

 public:
  FlushDenormals() { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
  uint64_t saved_;

 public:
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(saved_ | 1 << 24) : "memory");
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(saved_) : "memory"); }
#else
 public:
  FlushDenormals() {}
#endif
};

// A weight that gets no gradient any more, beyond its estimator's clip, lets its moments decay into denormal numbers, and each
// operation on those costs a hundred others.
template <class Body>
static void over_weights(size_t size, const Body& body) {
  elementwise::over(size, [&](size_t begin, size_t end) {
    const FlushDenormals guard;
    body(begin, end);
  });
}

}  // namespace optimizer

static void sgdStep(Floats w, Floats g, Floats velocity, float rate, float momentum, float decay, int nesterov) {
  require(g, w.size, "sgdStep g");
  require(velocity, w.size, "sgdStep velocity");
  optimizer::over_weights(w.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float gradient = g.data[i] + decay * w.data[i];
      const float v = momentum * velocity.data[i] + gradient;
      velocity.data[i] = v;
      w.data[i] -= rate * (nesterov ? gradient + momentum * v : v);
    }
  });
}

static void adamStep(Floats w, Floats g, Floats m, Floats v, float rate, float beta1, float beta2, float epsilon,
                     float decay, float correction1, float correction2) {
  for (const Floats& other : {g, m, v}) require(other, w.size, "adamStep");
  optimizer::over_weights(w.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float gradient = g.data[i] + decay * w.data[i];
      m.data[i] = beta1 * m.data[i] + (1 - beta1) * gradient;
      v.data[i] = beta2 * v.data[i] + (1 - beta2) * gradient * gradient;
      w.data[i] -= rate * (m.data[i] / correction1) / (__builtin_sqrtf(v.data[i] / correction2) + epsilon);
    }
  });
}

static void adamaxStep(Floats w, Floats g, Floats m, Floats v, float rate, float beta1, float beta2, float epsilon,
                       float decay, float correction1) {
  for (const Floats& other : {g, m, v}) require(other, w.size, "adamaxStep");
  optimizer::over_weights(w.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float gradient = g.data[i] + decay * w.data[i];
      const float decayed = beta2 * v.data[i], fresh = __builtin_fabsf(gradient) + epsilon;
      m.data[i] = beta1 * m.data[i] + (1 - beta1) * gradient;
      v.data[i] = decayed > fresh ? decayed : fresh;
      w.data[i] -= rate / correction1 * m.data[i] / v.data[i];
    }
  });
}

static void rmspropStep(Floats w, Floats g, Floats v, float rate, float decay_rate, float epsilon, float decay) {
  for (const Floats& other : {g, v}) require(other, w.size, "rmspropStep");
  optimizer::over_weights(w.size, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const float gradient = g.data[i] + decay * w.data[i];
      v.data[i] = decay_rate * v.data[i] + (1 - decay_rate) * gradient * gradient;
      w.data[i] -= rate * gradient / (__builtin_sqrtf(v.data[i]) + epsilon);
    }
  });
}
