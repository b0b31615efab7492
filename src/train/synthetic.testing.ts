import { Random } from '../core/random.ts';
import type { DataSet, Split } from '../data/dataset.ts';

/** Images whose class is the quadrant of a bright blob on noise: learnable in a few steps. */
export function blobData(side = 8, train = 256, test = 64): DataSet {
  const random = new Random(42);
  const split = (count: number): Split => {
    const labels = Uint16Array.from({ length: count }, (_, i) => i % 4);
    const pixels = new Uint8Array(count * side * side);
    for (let i = 0; i < count; i++)
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
          const inside =
            Math.floor((2 * y) / side) === labels[i]! >> 1 && Math.floor((2 * x) / side) === (labels[i]! & 1);
          pixels[(i * side + y) * side + x] = random.integer(100) + (inside ? 120 : 0);
        }
    return { count, labels, pixels };
  };
  return {
    name: 'blobs',
    shape: [side, side, 1],
    classes: ['a', 'b', 'c', 'd'],
    train: split(train),
    test: split(test),
    mean: [0.3],
    std: [0.25],
  };
}
