// A data set: bytes, and what is known of each image.
import { Random } from 'signum-bnn';
import { pixelStatistics } from 'signum-bnn/data';

/** Stripes that lie or stand, under noise. */
function split(count, seed) {
  const random = new Random(seed);
  const labels = Uint16Array.from({ length: count }, (_, i) => i % 2);
  const shifts = Uint8Array.from({ length: count }, () => random.integer(4));
  const pixels = Uint8Array.from({ length: count * 256 }, (_, i) => {
    const [image, y, x] = [i >> 8, (i >> 4) & 15, i & 15];
    return (((labels[image] ? x : y) + shifts[image]) & 2 ? 80 : 0) + 170 * random.uniform();
  });
  return { count, labels, pixels };
}

export const stripes = {
  id: 'stripes',
  title: 'lying and standing stripes, 16x16x1, 1,000 + 200',
  load: () => {
    const [train, test] = [split(1000, 1), split(200, 2)];
    const classes = ['lying', 'standing'];
    return { name: 'stripes', shape: [16, 16, 1], classes, train, test, ...pixelStatistics(train.pixels, 1) };
  },
};

/** A bright spot somewhere, under noise; of each image x and y are known. */
function spotted(count, seed) {
  const random = new Random(seed);
  const spot = Float32Array.from({ length: 2 * count }, () => 3 + 10 * random.uniform());
  const pixels = Uint8Array.from({ length: count * 256 }, (_, i) => {
    const [image, y, x] = [i >> 8, (i >> 4) & 15, i & 15];
    const isNear = Math.hypot(x + 0.5 - spot[2 * image], y + 0.5 - spot[2 * image + 1]) < 2;
    return (isNear ? 180 : 0) + 70 * random.uniform();
  });
  return { count, spot, pixels };
}

export const spots = {
  id: 'spots',
  title: 'bright spots and where they are, 16x16x1, 1,000 + 200',
  load: () => {
    const [train, test] = [spotted(1000, 3), spotted(200, 4)];
    return { name: 'spots', shape: [16, 16, 1], classes: [], train, test, ...pixelStatistics(train.pixels, 1) };
  },
};
