import { kernels } from '../backend/select.ts';

/** Normal equations of targets y [P,C] by inputs X [P,K]: all that a least-squares fit by signs needs of the data. */
export interface NormalEquations {
  /** Number of inputs, K. */
  readonly inputs: number;
  /** X'X, [K,K]. */
  readonly gram: Float32Array;
}

/** @param windows X [P,K] */
export function normalEquations(windows: Float32Array, inputs: number): NormalEquations {
  const gram = new Float32Array(inputs * inputs);
  kernels().sgemm(true, false, inputs, inputs, windows.length / inputs, windows, windows, false, gram);
  return { inputs, gram };
}

/** Sweeps over all signs of a filter; most fits settle after three. */
const mostSweeps = 20;

/**
 * Least squares by alpha b, b in {-1,+1}^K: lowers |y - alpha X b|^2 by turns, alpha in closed form, then each sign by itself given all
 * others (discrete cyclic coordinate descent). `b` is the start and becomes the solution.
 *
 * @param moments X'y, [K]
 * @returns alpha, not negative
 * Source: Hu 2018 (BWNH), eq. 8-12; Wang 2018 (TSQ), eq. 10-12.
 */
export function fitSigns({ inputs, gram }: NormalEquations, moments: Float32Array, b: Float32Array): number {
  const products = new Float64Array(inputs);
  for (let i = 0; i < inputs; i++) for (let j = 0; j < inputs; j++) products[i]! += gram[i * inputs + j]! * b[j]!;
  const dot = (v: ArrayLike<number>) => b.reduce((sum, sign, i) => sum + sign * v[i]!, 0);
  const best = () => {
    const energy = dot(products);
    return energy > 0 ? dot(moments) / energy : 0;
  };
  let alpha = best();
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let flips = 0;
    for (let i = 0; i < inputs; i++) {
      const others = products[i]! - gram[i * inputs + i]! * b[i]!;
      const pull = alpha * moments[i]! - alpha * alpha * others;
      const wanted = pull === 0 ? b[i]! : pull < 0 ? -1 : 1;
      if (wanted === b[i]) continue;
      b[i] = wanted;
      for (let j = 0; j < inputs; j++) products[j]! += 2 * wanted * gram[i * inputs + j]!;
      flips++;
    }
    alpha = best();
    if (flips === 0) break;
  }
  if (alpha >= 0) return alpha;
  for (let i = 0; i < inputs; i++) b[i] = -b[i]!;
  return -alpha;
}
