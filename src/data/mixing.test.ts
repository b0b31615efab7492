import { expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { type Augmentation, Batches, type Pass } from './batches.ts';

const side = 12;
const size = side * side * 3;
const pixels = new Uint8Array(40 * size).map((_, i) => (i * 37) % 251);
const labels = Uint16Array.from({ length: 40 }, (_, i) => i % 7);
const data = { shape: [side, side, 3] as const, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4] };
const split = { count: 40, labels, pixels };
const batches = new Batches(data, split, 9);
const passOf = (augmentation: Augmentation, epoch = 0, seed = 3): Pass => ({
  order: batches.order(seed, 0),
  first: 0,
  augmentation,
  seed,
  epoch,
});

test('cutout blanks one square of each image, of the side that was asked for as far as it lies inside', async () => {
  const plain = await batches.shuffled(passOf({}), 0);
  const cut = await batches.shuffled(passOf({ cutout: 5 }), 0);
  const corners = new Set<string>();
  for (let i = 0; i < cut.count; i++) {
    const changed: [number, number][] = [];
    for (let p = 0; p < side * side; p++) {
      const at = i * size + 3 * p;
      const [now, before] = [cut.images.subarray(at, at + 3), plain.images.subarray(at, at + 3)];
      if (now.every((value, c) => value === before[c])) continue;
      expect([...now]).toEqual([0, 0, 0]);
      changed.push([Math.floor(p / side), p % side]);
    }
    const [rows, columns] = [changed.map(([y]) => y), changed.map(([, x]) => x)];
    const [top, left, bottom, right] = [
      Math.min(...rows),
      Math.min(...columns),
      Math.max(...rows),
      Math.max(...columns),
    ];
    expect(changed).toHaveLength((bottom - top + 1) * (right - left + 1));
    const complete = (from: number, to: number) => (from > 0 && to < side - 1 ? to - from + 1 : 5);
    expect([complete(top, bottom), complete(left, right)]).toEqual([5, 5]);
    corners.add(`${top},${left}`);
  }
  expect(corners.size).toBeGreaterThan(3);
});

test('mixup gives each image a share of itself and the rest of its partner, whose place it tells', async () => {
  const plain = await batches.shuffled(passOf({ padCrop: 2, flip: true }), 1);
  const mixed = await batches.shuffled(passOf({ padCrop: 2, flip: true, mixup: 0.5 }), 1);
  const { partners, shares } = mixed.mixture!;
  expect(mixed.labels).toEqual(plain.labels);
  const { count } = mixed;
  for (let i = 0; i < count; i++) {
    const partner = count - 1 - i;
    expect(partners[i]).toBe(partner);
    expect(shares[i]).toBeGreaterThanOrEqual(0);
    expect(shares[i]).toBeLessThanOrEqual(1);
    for (const p of [0, 77, size - 1])
      expect(mixed.images[i * size + p]).toBeCloseTo(
        shares[i]! * plain.images[i * size + p]! + (1 - shares[i]!) * plain.images[partner * size + p]!,
        5,
      );
  }
  expect(new Set(shares).size).toBe(count);
});

test('both are functions of seed, epoch and image: other options keep their bits, another epoch has others', async () => {
  const all = { padCrop: 1, flip: true, cutout: 3, mixup: 1 };
  const first = await batches.shuffled(passOf(all), 2);
  expect(await batches.shuffled(passOf(all), 2)).toEqual(first);
  expect(await batches.shuffled(passOf(all, 1), 2)).not.toEqual(first);
  expect((await batches.shuffled(passOf({ mixup: 1 }), 2)).mixture).toEqual(first.mixture);
  expect((await batches.plain(0)).mixture).toBeUndefined();
});

test('shares follow Beta(alpha, alpha): mean 1/2, variance 1/(4 (2 alpha + 1))', () => {
  for (const alpha of [0.2, 1, 4]) {
    const random = new Random(11);
    const drawn = Array.from({ length: 20_000 }, () => random.beta(alpha, alpha));
    const mean = drawn.reduce((a, b) => a + b) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    expect(mean).toBeCloseTo(0.5, 1.7);
    expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1.3);
  }
  expect([0, 1]).toContain(new Random(2).beta(1e-6, 1e-6));
});
