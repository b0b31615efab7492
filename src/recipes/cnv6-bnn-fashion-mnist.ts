import { defineRecipe } from './recipe.ts';

/** FINN's convolutional network on pictures of clothes. */
export const cnv6BnnFashionMnist = defineRecipe({
  id: 'cnv6-bnn-fashion-mnist',
  training: {
    model: 'cnv6',
    method: 'bnn',
    data: 'fashion-mnist',
    epochs: 8,
    batch: 64,
    optimizer: 'adam',
    rate: 0.002,
    schedule: 'cosine',
    loss: 'cross-entropy',
    flip: true,
    firstLast: 'float',
  },
  source: 'ours',
  measured: { accuracy: 0.9246, log: 'results/fashion-mnist-cnv6-bnn' },
});
