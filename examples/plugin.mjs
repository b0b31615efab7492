// What the command line takes of yours: one default export, with a list for each kind of value.
//   npx signum-bnn train --plugin ./plugin.mjs --model ramped --method steep --data stripes --epochs 2
//   npx signum-bnn pack runs/ramped-steep-stripes --plugin ./plugin.mjs
import { binarize, defineMethod, definePlugin, optim, Random } from 'signum-bnn';
import { pixelStatistics } from 'signum-bnn/data';
import { packedRamp, packRamp, ramped } from './soft-ramp.mjs';

/** Signs whose gradient passes near 0 alone, and through everything at first. */
const steep = defineMethod({
  id: 'steep',
  title: 'Slopes that grow steep',
  paper: 'none',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: binarize.binarizeWeights({
    scale: binarize.filterMean,
    estimator: binarize.straightThrough,
    scaleGradient: 'detached',
  }),
  activation: binarize.binarizeActivation({
    id: 'steep',
    slope: 'clip-ste',
    parameters: (context) => [context.value('reach', 1), 0],
  }),
  schedule: ({ progress }) => ({ reach: 2 - progress }),
  structure: { order: 'conv-bn', shortcut: 'none', activation: 'none' },
  defaults: {
    optimizer: optim.adam({ rate: 1e-2 }),
    rate: optim.cosine(),
    epochs: 4,
    batch: 50,
    loss: 'cross-entropy',
    clipLatent: true,
  },
});

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

const stripes = {
  id: 'stripes',
  title: 'lying and standing stripes, 16x16x1, 1,000 + 200',
  load: () => {
    const [train, test] = [split(1000, 1), split(200, 2)];
    const classes = ['lying', 'standing'];
    return { name: 'stripes', shape: [16, 16, 1], classes, train, test, ...pixelStatistics(train.pixels, 1) };
  },
};

export default definePlugin({
  methods: [steep],
  models: [ramped],
  ops: [packRamp],
  packedOps: [packedRamp],
  data: [stripes],
});
