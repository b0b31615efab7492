import { defineRecipe } from './recipe.ts';

/** FINN's large fully connected network. */
export const lfcBnnMnist = defineRecipe({
  id: 'lfc-bnn-mnist',
  training: {
    model: 'lfc',
    method: 'bnn',
    data: 'mnist',
    epochs: 60,
    batch: 100,
    optimizer: 'adam',
    rate: 0.001,
    schedule: 'cosine',
    loss: 'cross-entropy',
    padCrop: 1,
  },
  published: 0.984,
  source: 'Umuroglu et al., FPGA 2017 (Brevitas: 98.88 %)',
  deviations: 'cross-entropy and a cosine; pixels as they are, where FINN takes one bit of each',
  measured: { accuracy: 0.9874, log: 'results/mnist-lfc-bnn' },
});
