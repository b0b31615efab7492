import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { kernels } from '../backend/select.ts';
import type { Random } from '../core/random.ts';
import { floats, release } from '../tensor/storage.ts';

/** Two rotations that turn every filter, reshaped to a x b, at once: R1 [a,a] and R2 [b,b], both orthogonal. */
export interface Rotation {
  readonly a: number;
  readonly b: number;
  readonly r1: Float32Array;
  readonly r2: Float32Array;
}

/** The most square a x b = reach: the smaller the rotations, the cheaper. */
export function squareFactors(reach: number): { a: number; b: number } {
  let a = Math.floor(Math.sqrt(reach));
  while (reach % a !== 0) a--;
  return { a, b: reach / a };
}

/** An orthogonal matrix drawn evenly: normal columns, made orthogonal one after the other (Stewart 1980). */
export function randomRotation(size: number, random: Random): Float32Array {
  const r = new Float32Array(size * size);
  random.fillNormal(r, 0, 1);
  const column = (j: number) => Float64Array.from({ length: size }, (_, i) => r[i * size + j]!);
  const done: Float64Array[] = [];
  for (let j = 0; j < size; j++) {
    const v = column(j);
    // twice, so that rounding leaves nothing of the others
    for (const q of [...done, ...done]) {
      let along = 0;
      for (let i = 0; i < size; i++) along += q[i]! * v[i]!;
      for (let i = 0; i < size; i++) v[i]! -= along * q[i]!;
    }
    const norm = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < size; i++) r[i * size + j] = v[i]! /= norm;
    done.push(v);
  }
  return r;
}

/** out_i = R x_i (or R' x_i) for each of the `a` slices [b,C] of x. */
function onSlices(transposed: boolean, r: Float32Array, x: Float32Array, out: Float32Array, { a, b }: Rotation): void {
  const slice = x.length / a;
  const part = (array: Float32Array, i: number) => array.subarray(i * slice, (i + 1) * slice);
  for (let i = 0; i < a; i++) kernels().sgemm(transposed, false, b, slice / b, b, r, part(x, i), false, part(out, i));
}

/** R1' w R2 of every filter. @param w [a*b,C] */
export function rotate(w: Float32Array, rotation: Rotation, out: Float32Array): void {
  const { a, r1, r2 } = rotation;
  const half = floats(w.length);
  kernels().sgemm(true, false, a, w.length / a, a, r1, w, false, half);
  onSlices(true, r2, half, out, rotation);
  release(half);
}

/** R1 g R2' of every filter: the way back. @param g [a*b,C] */
export function rotateBack(g: Float32Array, rotation: Rotation, out: Float32Array): void {
  const { a, r1, r2 } = rotation;
  const half = floats(g.length);
  onSlices(false, r2, g, half, rotation);
  kernels().sgemm(false, false, a, g.length / a, a, r1, half, false, out);
  release(half);
}

/** U V' of the singular value decomposition U S V' of a square matrix: the nearest orthogonal one. */
function nearestOrthogonal(values: Float32Array, size: number): Matrix {
  const svd = new SingularValueDecomposition(Matrix.from1DArray(size, size, Array.from(values)), {
    autoTranspose: true,
  });
  return svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose());
}

/**
 * One round of turning the rotations so that rotated filters come nearer to their signs B: R1 then R2, each the best for the other.
 *
 * @param w [a*b,C], standardised
 * Source: Lin 2020 (RBNN), eq. 9-11.
 */
export function refineRotation(w: Float32Array, rotation: Rotation): void {
  const { a, b, r1, r2 } = rotation;
  const [signs, turned] = [floats(w.length), floats(w.length)];
  rotate(w, rotation, turned);
  kernels().unary('clip-ste', turned, signs);
  // D1 = sum B R2' w' = U S V', R1 = V U'
  onSlices(false, r2, signs, turned, rotation);
  const d1 = floats(a * a);
  kernels().sgemm(false, true, a, a, w.length / a, turned, w, false, d1);
  r1.set(nearestOrthogonal(d1, a).transpose().to1DArray());
  // D2 = sum w' R1 B = U S V', R2 = U V'
  kernels().sgemm(false, false, a, w.length / a, a, r1, signs, false, turned);
  const d2 = floats(b * b);
  const slice = w.length / a;
  for (let i = 0; i < a; i++) {
    const part = (array: Float32Array) => array.subarray(i * slice, (i + 1) * slice);
    kernels().sgemm(false, true, b, b, slice / b, part(w), part(turned), i > 0, d2);
  }
  r2.set(nearestOrthogonal(d2, b).to1DArray());
  for (const array of [signs, turned, d1, d2]) release(array);
}
