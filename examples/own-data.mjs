// Images of your own, made or read as you like: bytes, a label each, and how pixels are normalised. (A folder of pictures needs no
// program: npx signum-bnn train --data ./photos@64 ...)
//   node own-data.mjs         in a project with signum-bnn
import { rmSync } from 'node:fs';
import { Random, trainRun } from 'signum-bnn';
import { pixelStatistics } from 'signum-bnn/data';

const classes = ['circle', 'square', 'cross'];
const size = 16;

/** One picture [16,16,1]: a shape of any size in any place, under noise. */
function draw(label, random, pixels) {
  const [x, y, reach] = [5 + 6 * random.uniform(), 5 + 6 * random.uniform(), 3 + 2 * random.uniform()];
  for (let i = 0; i < size * size; i++) {
    const [dx, dy] = [Math.abs((i % size) - x), Math.abs(Math.floor(i / size) - y)];
    const far = [Math.hypot(dx, dy), Math.max(dx, dy), Math.min(dx, dy) + (Math.max(dx, dy) > reach ? reach : 0)][
      label
    ];
    const inside = label === 2 ? far < 1 : far < reach;
    pixels[i] = Math.min(255, (inside ? 160 : 20) + 90 * random.uniform());
  }
}

function split(count, seed) {
  const random = new Random(seed);
  const labels = Uint16Array.from({ length: count }, (_, i) => i % classes.length);
  const pixels = new Uint8Array(count * size * size);
  for (const [i, label] of labels.entries())
    draw(label, random, pixels.subarray(i * size * size, (i + 1) * size * size));
  return { count, labels, pixels };
}

const train = split(3000, 1);
const data = {
  name: 'shapes',
  shape: [size, size, 1],
  classes,
  train,
  test: split(600, 2),
  ...pixelStatistics(train.pixels, 1),
};
rmSync('runs/shapes', { recursive: true, force: true });
const options = {
  model: 'vgg-small',
  width: 0.25,
  method: 'bi-real',
  data: 'shapes',
  epochs: 2,
  batch: 50,
  optimizer: 'adam',
  rate: 3e-3,
};
const { accuracy } = await trainRun('runs/shapes', options, data);
console.log(`${(100 * accuracy).toFixed(1)} % of 600 new pictures`);
