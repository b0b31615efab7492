import { expect, test } from 'vitest';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { type Rotation, refineRotation, rotate, rotateBack, squareFactors } from './rotation.ts';

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));
}

const start = (reach: number): Rotation => {
  const { a, b } = squareFactors(reach);
  return { a, b, r1: identity(a), r2: identity(b) };
};

/** ||R'R - 1|| */
function fromOrthogonal(r: Float32Array, size: number): number {
  let worst = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      let dot = 0;
      for (let k = 0; k < size; k++) dot += r[k * size + i]! * r[k * size + j]!;
      worst = Math.max(worst, Math.abs(dot - Number(i === j)));
    }
  return worst;
}

test('the most square factors', () => {
  expect([36, 144, 576, 7].map(squareFactors)).toEqual([
    { a: 6, b: 6 },
    { a: 12, b: 12 },
    { a: 24, b: 24 },
    { a: 1, b: 7 },
  ]);
});

test('P: rotations stay orthogonal, keep lengths, and each round brings the filters nearer to their signs', () => {
  const w = randomTensor([24, 5], 3).data;
  const rotation = start(24);
  const turned = new Float32Array(w.length);
  const distances: number[] = [];
  for (let round = 0; round < 6; round++) {
    rotate(w, rotation, turned);
    distances.push(turned.reduce((sum, v) => sum + (v - (v < 0 ? -1 : 1)) ** 2, 0));
    expect(Math.hypot(...turned)).toBeCloseTo(Math.hypot(...w), 3);
    refineRotation(w, rotation);
    expect(fromOrthogonal(rotation.r1, rotation.a)).toBeLessThan(1e-5);
    expect(fromOrthogonal(rotation.r2, rotation.b)).toBeLessThan(1e-5);
  }
  for (let i = 1; i < distances.length; i++) expect(distances[i]).toBeLessThanOrEqual(distances[i - 1]! + 1e-4);
  expect(distances.at(-1)).toBeLessThan(0.95 * distances[0]!);
});

test('rotating back undoes a rotation', () => {
  const w = randomTensor([24, 5], 3).data;
  const rotation = start(24);
  refineRotation(w, rotation);
  const [turned, back] = [new Float32Array(w.length), new Float32Array(w.length)];
  rotate(w, rotation, turned);
  rotateBack(turned, rotation, back);
  for (let i = 0; i < w.length; i++) expect(back[i]).toBeCloseTo(w[i]!, 4);
});
