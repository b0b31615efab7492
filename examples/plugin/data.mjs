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
