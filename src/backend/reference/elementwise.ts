import type { Kernels, UnaryOp } from '../kernels.ts';
import { sumColumns } from './sums.ts';

const f = Math.fround;
const sign = (x: number) => (x < 0 ? -1 : 1);

/** e^x in float32, operation by operation as the compiled backends compute it (kernels/native/vec.h), clamped to e^-87..e^88. */
export function exponential(value: number): number {
  let x = Math.min(Math.max(value, -87), 88);
  const scaled = f(f(x * f(Math.LOG2E)) + 0.5);
  const n = Math.floor(scaled);
  x = f(f(x - f(n * f(0.693359375))) - f(n * f(-2.1219444e-4)));
  let p = f(1.98756915e-4);
  for (const next of [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])
    p = f(f(p * x) + f(next));
  p = f(f(f(f(p * x) * x) + x) + 1);
  return f(p * 2 ** n);
}

const logistic = (x: number) => f(1 / f(1 + exponential(-x)));

function hyperbolicTangent(x: number): number {
  if (Math.abs(x) < f(0.02)) return f(x - f(f(f(x * x) * x) * f(0.33333333)));
  const e = exponential(f(-2 * Math.abs(x)));
  const magnitude = f(f(1 - e) / f(1 + e));
  return x < 0 ? -magnitude : magnitude;
}

const forward: Record<UnaryOp, (x: number) => number> = {
  relu: (x) => (x < 0 ? 0 : x),
  hardtanh: (x) => (x < -1 ? -1 : x > 1 ? 1 : x),
  sigmoid: logistic,
  tanh: hyperbolicTangent,
  softsign: (x) => x / f(1 + Math.abs(x)),
  'clip-ste': sign,
  triangle: sign,
  'tanh-ste': sign,
  'tanh-within': sign,
  'softsign-ste': sign,
  'swish-sign': sign,
};

/** A sigmoid or tanh is flat from here on, even in double precision: slopes that are denormal numbers would only be slow to add. */
const flat = 20;
const square = (x: number) => f(x * x);

const word = new Int32Array(1);
const asFloat = new Float32Array(word.buffer);

/** e^(-2|x|) within 3e-7, as kernels/native/elementwise.inl computes it, flat from 20 on. */
function decay(x: number): number {
  const round = 12582912; // 1.5 * 2^23
  const power = f(Math.abs(x) * f(-2.8853900817779268));
  const bounded = power > f(-57.70780163555854) ? power : f(-57.70780163555854);
  const shifted = f(bounded + round);
  const rest = f(bounded - f(shifted - round));
  const square = f(rest * rest);
  const high = f(f(f(0.0013264723944865682) * rest) + f(0.009671512877217165));
  const middle = f(f(f(0.05550733754056675) * rest) + f(0.24022242080196418));
  const low = f(f(f(0.6931469775916618) * rest) + 1);
  asFloat[0] = f(low + f(square * f(middle + f(square * high))));
  word[0]! += (shifted - round) << 23;
  return asFloat[0]!;
}

/** 1 - tanh(x)^2 = 4e/(1+e)^2 with e = exp(-2|x|): no cancellation far from 0 */
function tanhSlope(x: number): number {
  const e = decay(x);
  return f(f(4 * e) / square(f(1 + e)));
}

/** Where the gradient passes as it is, and is 0 elsewhere. */
const passes: Partial<Record<UnaryOp, (x: number, p0: number) => boolean>> = {
  relu: (x) => x > 0,
  hardtanh: (x) => Math.abs(x) < 1,
  'clip-ste': (x, width) => Math.abs(x) <= width,
};

/** op'(x); the estimators' "derivatives" are the published surrogates (survey eq. 5, 12-13; IR-Net eq. 8; BNN+ eq. 4). */
const derivative: Record<
  Exclude<UnaryOp, 'relu' | 'hardtanh' | 'clip-ste'>,
  (x: number, p0: number, p1: number) => number
> = {
  sigmoid: (x) => (Math.abs(x) > 2 * flat ? 0 : f(logistic(x) * f(1 - logistic(x)))),
  tanh: tanhSlope,
  softsign: (x) => f(1 / square(f(1 + Math.abs(x)))),
  triangle: (x, height, steepness) => Math.max(0, f(height - f(steepness * Math.abs(x)))),
  'tanh-ste': (x, t, k) => f(f(k * t) * tanhSlope(f(t * x))),
  'tanh-within': (x, t, k) => (Math.abs(x) <= 1 ? f(f(k * t) * tanhSlope(f(t * x))) : 0),
  'softsign-ste': (x, lambda) => f(lambda / square(f(1 + f(lambda * Math.abs(x))))),
  'swish-sign': (x, beta) => {
    const scaled = f(beta * x);
    if (Math.abs(scaled) > 2 * flat) return 0;
    const e = exponential(-Math.abs(scaled)); // 1 + cosh s = (1+e)^2 / 2e
    const height = f(f(f(beta * f(2 - f(scaled * hyperbolicTangent(f(0.5 * scaled))))) * 2) * e);
    return f(height / square(f(1 + e)));
  },
};

export const unary: Kernels['unary'] = (op, x, y) => {
  const apply = forward[op];
  for (let i = 0; i < y.length; i++) y[i] = apply(x[i]!);
};

export const unaryBackward: Kernels['unaryBackward'] = (op, x, dy, dx, p0, p1) => {
  const [a, b] = [f(p0), f(p1)];
  const test = passes[op];
  const slope = derivative[op as keyof typeof derivative];
  for (let i = 0; i < dx.length; i++) dx[i] = test ? (test(x[i]!, a) ? dy[i]! : 0) : dy[i]! * slope(x[i]!, a, b);
};

export const maskWithin: Kernels['maskWithin'] = (dy, y, low, high, dx) => {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  for (let i = 0; i < dx.length; i++) dx[i] = y[i]! > bottom && y[i]! < top ? dy[i]! : 0;
};

export const prelu: Kernels['prelu'] = (x, slope, y, rows, channels) => {
  for (let i = 0; i < rows * channels; i++) y[i] = x[i]! >= 0 ? x[i]! : x[i]! * slope[i % channels]!;
};

export const preluBackward: Kernels['preluBackward'] = (x, slope, dy, dx, dslope, rows, channels) => {
  const sums = sumColumns(rows, channels, (row, part) => {
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      if (x[i]! < 0) part[c]! += f(x[i]! * dy[i]!);
      dx[i] = x[i]! >= 0 ? dy[i]! : dy[i]! * slope[c]!;
    }
  });
  dslope.set(sums);
};

export const add: Kernels['add'] = (a, b, y) => {
  for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
};

export const multiply: Kernels['multiply'] = (a, b, y) => {
  for (let i = 0; i < y.length; i++) y[i] = a[i]! * b[i]!;
};

export const blend: Kernels['blend'] = (x, factor, keep, y) => {
  const [a, b] = [f(factor), f(keep)];
  for (let i = 0; i < y.length; i++) y[i] = f(a * x[i]!) + f(b * y[i]!);
};

export const clamp: Kernels['clamp'] = (x, low, high) => {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! < low ? low : Math.min(x[i]!, high);
};
