import type { UnaryOp } from '../kernels.ts';

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const sign = (x: number) => (x < 0 ? -1 : 1);

const forward: Record<UnaryOp, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  hardtanh: (x) => (x < -1 ? -1 : Math.min(x, 1)),
  sigmoid: logistic,
  tanh: Math.tanh,
  softsign: (x) => x / (1 + Math.abs(x)),
  'clip-ste': sign,
  triangle: sign,
  'tanh-ste': sign,
  'tanh-within': sign,
  'softsign-ste': sign,
  'swish-sign': sign,
};

/** A tanh is flat from here on, even in double precision: slopes that are denormal numbers would only be slow to add. */
const flat = 20;
const tanhSlope = (x: number) => (Math.abs(x) > flat ? 0 : 1 - Math.tanh(x) ** 2);

/** op'(x); the estimators' "derivatives" are the published surrogates (survey eq. 5, 12-13; IR-Net eq. 8; BNN+ eq. 4). */
const derivative: Record<UnaryOp, (x: number, p0: number, p1: number) => number> = {
  relu: (x) => (x > 0 ? 1 : 0),
  hardtanh: (x) => (Math.abs(x) < 1 ? 1 : 0),
  sigmoid: (x) => (Math.abs(x) > 2 * flat ? 0 : logistic(x) * (1 - logistic(x))),
  tanh: tanhSlope,
  softsign: (x) => 1 / (1 + Math.abs(x)) ** 2,
  'clip-ste': (x, width) => (Math.abs(x) <= Math.fround(width) ? 1 : 0),
  triangle: (x, height, steepness) => Math.max(0, height - steepness * Math.abs(x)),
  'tanh-ste': (x, t, k) => k * t * tanhSlope(t * x),
  'tanh-within': (x, t, k) => (Math.abs(x) <= 1 ? k * t * tanhSlope(t * x) : 0),
  'softsign-ste': (x, lambda) => lambda / (1 + lambda * Math.abs(x)) ** 2,
  'swish-sign': (x, beta) => {
    const scaled = beta * x;
    if (Math.abs(scaled) > 2 * flat) return 0;
    return (beta * (2 - scaled * Math.tanh(scaled / 2))) / (1 + Math.cosh(scaled));
  },
};

export function unary(op: UnaryOp, x: Float32Array, y: Float32Array): void {
  const apply = forward[op];
  for (let i = 0; i < y.length; i++) y[i] = apply(x[i]!);
}

export function unaryBackward(
  op: UnaryOp,
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  p0: number,
  p1: number,
): void {
  const slope = derivative[op];
  for (let i = 0; i < dx.length; i++) dx[i] = dy[i]! * slope(x[i]!, p0, p1);
}

export function maskWithin(dy: Float32Array, y: Float32Array, low: number, high: number, dx: Float32Array): void {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  for (let i = 0; i < dx.length; i++) dx[i] = y[i]! > bottom && y[i]! < top ? dy[i]! : 0;
}

export function prelu(x: Float32Array, slope: Float32Array, y: Float32Array, rows: number, channels: number): void {
  for (let i = 0; i < rows * channels; i++) y[i] = x[i]! >= 0 ? x[i]! : x[i]! * slope[i % channels]!;
}

export function preluBackward(
  x: Float32Array,
  slope: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  dslope: Float32Array,
  rows: number,
  channels: number,
): void {
  const sums = new Float64Array(channels);
  for (let i = 0; i < rows * channels; i++) {
    const c = i % channels;
    if (x[i]! < 0) sums[c]! += dy[i]! * x[i]!;
    dx[i] = x[i]! >= 0 ? dy[i]! : dy[i]! * slope[c]!;
  }
  dslope.set(sums);
}

export function add(a: Float32Array, b: Float32Array, y: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
}

export function multiply(a: Float32Array, b: Float32Array, y: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = a[i]! * b[i]!;
}

export function blend(x: Float32Array, factor: number, keep: number, y: Float32Array): void {
  const [f, k] = [Math.fround(factor), Math.fround(keep)];
  for (let i = 0; i < y.length; i++) y[i] = Math.fround(f * x[i]!) + Math.fround(k * y[i]!);
}

export function clamp(x: Float32Array, low: number, high: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! < low ? low : Math.min(x[i]!, high);
}
