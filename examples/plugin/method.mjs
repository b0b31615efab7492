// A method: how weights and activations become signs, and how that is trained.
import { binarize, defineMethod, optim } from 'signum-bnn';

/** Signs whose gradient passes near 0 alone, and through everything at first. */
export const steep = defineMethod({
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
