import {
  clipSte, hardtanh, relu, sigmoid, softsign, softsignSte, tanh, tanhSte, tanhWithin, triangle,
} from './unary-ops';

/** e^x as kernels/native/vec.h computes it, operation by operation: a network has the same bits on both. */
@inline function exponential(x: f32): f32 {
  x = x > -87 ? x : -87;
  x = x < 88 ? x : 88;
  const scaled: f32 = x * 1.44269504088896341 + 0.5;
  let n = <i32>scaled;
  if (<f32>n > scaled) n--;
  const whole = <f32>n;
  x = x - whole * 0.693359375 - whole * -2.12194440e-4;
  let p: f32 = 1.9875691500e-4;
  p = p * x + 1.3981999507e-3;
  p = p * x + 8.3334519073e-3;
  p = p * x + 4.1665795894e-2;
  p = p * x + 1.6666665459e-1;
  p = p * x + 5.0000001201e-1;
  p = p * x * x + x + 1;
  return p * reinterpret<f32>((n + 127) << 23);
}

@inline function logistic(x: f32): f32 { return 1 / (1 + exponential(-x)); }

@inline function hyperbolicTangent(x: f32): f32 {
  if (abs(x) < <f32>0.02) return x - x * x * x * <f32>0.33333333;
  const e = exponential(-2 * abs(x));
  return copysign<f32>((1 - e) / (1 + e), x);
}

function forward(op: i32, x: f32): f32 {
  if (op == relu) return x < 0 ? 0 : x;
  if (op == hardtanh) return x < -1 ? -1 : x > 1 ? 1 : x;
  if (op == sigmoid) return logistic(x);
  if (op == tanh) return hyperbolicTangent(x);
  if (op == softsign) return x / (1 + abs(x));
  return x < 0 ? -1 : 1;
}

/** A tanh is flat from here on, even in double precision; gradients that are denormal numbers are slow. */
const flat: f32 = 20;

/** e^(-2|x|) as kernels/native/elementwise.inl computes it. */
@inline function decay(x: f32): f32 {
  const round: f32 = 12582912, least: f32 = -57.70780163555854;
  let power: f32 = abs(x) * -2.8853900817779268;
  power = power > least ? power : least;
  const shifted = power + round, f = power - (shifted - round), f2 = f * f;
  const high: f32 = 0.0013264723944865682 * f + 0.009671512877217165, middle: f32 = 0.05550733754056675 * f + 0.24022242080196418;
  const low: f32 = 0.6931469775916618 * f + 1;
  return reinterpret<f32>(reinterpret<i32>(low + f2 * (middle + f2 * high)) + (reinterpret<i32>(shifted) << 23));
}

@inline function tanhSlope(x: f32): f32 {
  const e = decay(x);
  return 4 * e / ((1 + e) * (1 + e));
}

function slope(op: i32, x: f32, p0: f32, p1: f32): f32 {
  if (op == relu) return x > 0 ? 1 : 0;
  if (op == hardtanh) return abs(x) < 1 ? 1 : 0;
  if (op == sigmoid) { const s = logistic(x); return abs(x) > 2 * flat ? 0 : s * (1 - s); }
  if (op == tanh) return tanhSlope(x);
  if (op == softsign) return 1 / ((1 + abs(x)) * (1 + abs(x)));
  if (op == clipSte) return abs(x) <= p0 ? 1 : 0;
  if (op == triangle) return max<f32>(0, p0 - p1 * abs(x));
  if (op == tanhSte) return p1 * p0 * tanhSlope(p0 * x);
  if (op == tanhWithin) return abs(x) <= 1 ? p1 * p0 * tanhSlope(p0 * x) : 0;
  if (op == softsignSte) return p0 / ((1 + p0 * abs(x)) * (1 + p0 * abs(x)));
  const s = p0 * x;
  if (abs(s) > 2 * flat) return 0;
  const e = exponential(-abs(s));
  return p0 * (2 - s * hyperbolicTangent(0.5 * s)) * 2 * e / ((1 + e) * (1 + e));
}

export function unary(op: i32, x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i++, x += 4, y += 4) store<f32>(y, forward(op, load<f32>(x)));
}

export function unaryBackward(op: i32, x: usize, dy: usize, dx: usize, p0: f32, p1: f32, n: i32): void {
  const passes = op == relu || op == hardtanh || op == clipSte;
  for (let i = 0; i < n; i++, x += 4, dy += 4, dx += 4) {
    const s = slope(op, load<f32>(x), p0, p1), g = load<f32>(dy);
    store<f32>(dx, passes ? (s != 0 ? g : 0) : g * s);
  }
}

export function maskWithin(dy: usize, y: usize, low: f32, high: f32, dx: usize, n: i32): void {
  for (let i = 0; i < n; i++, dy += 4, y += 4, dx += 4) {
    const v = load<f32>(y);
    store<f32>(dx, v > low && v < high ? load<f32>(dy) : 0);
  }
}

export function add(a: usize, b: usize, y: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, a += 16, b += 16, y += 16) v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  for (; i < n; i++, a += 4, b += 4, y += 4) store<f32>(y, load<f32>(a) + load<f32>(b));
}

export function multiply(a: usize, b: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i++, a += 4, b += 4, y += 4) store<f32>(y, load<f32>(a) * load<f32>(b));
}

export function blend(x: usize, factor: f32, keep: f32, y: usize, n: i32): void {
  for (let i = 0; i < n; i++, x += 4, y += 4) store<f32>(y, factor * load<f32>(x) + keep * load<f32>(y));
}

export function clamp(x: usize, low: f32, high: f32, n: i32): void {
  for (let i = 0; i < n; i++, x += 4) {
    const v = load<f32>(x);
    store<f32>(x, v < low ? low : v > high ? high : v);
  }
}

// Denormal numbers are slow: see kernels/native/optimizer_steps.inl.
const leastMoment: f32 = 7.888609052210118e-31, leastSquared: f32 = 1.3877787807814457e-17; // 2^-100, 2^-56

@inline function moment(value: f32): f32 { return abs(value) < leastMoment ? 0 : value; }
@inline function squarable(gradient: f32): f32 { return abs(gradient) < leastSquared ? 0 : gradient; }

export function sgdStep(w: usize, g: usize, velocity: usize, rate: f32, momentum: f32, decay: f32, nesterov: i32, n: i32): void {
  for (let i = 0; i < n; i++, w += 4, g += 4, velocity += 4) {
    const gradient = load<f32>(g) + decay * load<f32>(w);
    const v = moment(momentum * load<f32>(velocity) + gradient);
    store<f32>(velocity, v);
    store<f32>(w, load<f32>(w) - rate * (nesterov ? gradient + momentum * v : v));
  }
}

export function adamStep(w: usize, g: usize, m: usize, v: usize, rate: f32, beta1: f32, beta2: f32, epsilon: f32, decay: f32, correction1: f32, correction2: f32, n: i32): void {
  for (let i = 0; i < n; i++, w += 4, g += 4, m += 4, v += 4) {
    const gradient = load<f32>(g) + decay * load<f32>(w);
    store<f32>(m, moment(beta1 * load<f32>(m) + (1 - beta1) * gradient));
    const root = squarable(gradient);
    store<f32>(v, moment(beta2 * load<f32>(v) + (1 - beta2) * root * root));
    store<f32>(w, load<f32>(w) - rate * (load<f32>(m) / correction1) / (sqrt(load<f32>(v) / correction2) + epsilon));
  }
}

export function adamaxStep(w: usize, g: usize, m: usize, v: usize, rate: f32, beta1: f32, beta2: f32, epsilon: f32, decay: f32, correction1: f32, n: i32): void {
  for (let i = 0; i < n; i++, w += 4, g += 4, m += 4, v += 4) {
    const gradient = load<f32>(g) + decay * load<f32>(w);
    store<f32>(m, moment(beta1 * load<f32>(m) + (1 - beta1) * gradient));
    store<f32>(v, max(beta2 * load<f32>(v), abs(gradient) + epsilon));
    store<f32>(w, load<f32>(w) - rate / correction1 * load<f32>(m) / load<f32>(v));
  }
}

export function rmspropStep(w: usize, g: usize, v: usize, rate: f32, decayRate: f32, epsilon: f32, decay: f32, n: i32): void {
  for (let i = 0; i < n; i++, w += 4, g += 4, v += 4) {
    const gradient = load<f32>(g) + decay * load<f32>(w);
    const root = squarable(gradient);
    store<f32>(v, moment(decayRate * load<f32>(v) + (1 - decayRate) * root * root));
    store<f32>(w, load<f32>(w) - rate * gradient / (sqrt(load<f32>(v)) + epsilon));
  }
}
