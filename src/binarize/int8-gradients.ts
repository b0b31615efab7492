import { floats, release } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import { learningOutput, type OutputMap } from './quantizer.ts';

const largestCode = 127;
/** Steps between two searches of the clip, and the shares of max|g| that are tried. */
const searchEvery = 100;
const shares = [1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05];

/** clamp(round(g), -128, 127) for g in steps; `draw` in [0,1) rounds stochastically, 1/2 to the nearest. */
function code(g: number, draw: number): number {
  const rounded = Math.floor(g + draw);
  return rounded > largestCode ? largestCode : rounded < -largestCode - 1 ? -largestCode - 1 : rounded;
}

/** d_c = 1 - cos(g, quantized g): how far a clip turns the gradient (Zhu 2020, eq. 8). */
export function directionDeviation(g: ArrayLike<number>, clip: number): number {
  let [dot, ours, theirs] = [0, 0, 0];
  const step = clip / largestCode;
  for (let i = 0; i < g.length; i++) {
    const q = step * code(g[i]! / step, 0.5);
    dot += q * g[i]!;
    ours += q * q;
    theirs += g[i]! * g[i]!;
  }
  return ours === 0 || theirs === 0 ? 1 : 1 - dot / Math.sqrt(ours * theirs);
}

/** The tried clip that turns the gradient least. */
export function leastDeviatingClip(g: ArrayLike<number>): { clip: number; deviation: number } {
  let largest = 0;
  for (let i = 0; i < g.length; i++) largest = Math.max(largest, Math.abs(g[i]!));
  const candidates = shares.map((share) => ({
    clip: share * largest,
    deviation: directionDeviation(g, share * largest),
  }));
  return candidates.reduce((best, candidate) => (candidate.deviation < best.deviation ? candidate : best));
}

/** phi(d_c) = max(e^(-20 d_c), 0.1): a layer whose gradient is turned far learns slowly (eq. 12). */
export const counteractiveRate = (deviation: number): number => Math.max(Math.exp(-20 * deviation), 0.1);

/**
 * Identity forward; backward the gradient in eight bits with stochastic rounding, clipped where it turns least; the clip and its deviation
 * are kept per layer and searched again every 100 steps.
 *
 * Source: Zhu 2020 (Unified INT8 training), sec. 3.2-3.4; survey [41].
 */
export const int8Gradients: OutputMap = learningOutput(
  () => ({ kept: { gradientClip: new Float32Array(1), deviation: new Float32Array(1), age: new Float32Array(1) } }),
  (y, { kept }, _input, context: BinarizeContext) => {
    const [clip, deviation, age] = [kept['gradientClip']!, kept['deviation']!, kept['age']!];
    const backward = (g: Float32Array) => {
      if (age[0]! % searchEvery === 0) {
        const found = leastDeviatingClip(g);
        clip[0] = found.clip;
        deviation[0] = found.deviation;
      }
      age[0]!++;
      if (clip[0]! > 0) {
        const draws = floats(g.length);
        context.random.fillUniform(draws, 0, 1);
        const step = clip[0]! / largestCode;
        const perStep = 1 / step;
        for (let k = 0; k < g.length; k++) g[k] = step * code(g[k]! * perStep, draws[k]!);
        release(draws);
      }
      return [g];
    };
    return record('quantizeGradient', [y], new Tensor(y.data, y.shape), backward, { view: true });
  },
);
