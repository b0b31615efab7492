import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** 1-bit weights, float activations, from a float network. */
export const resnet20BwnCifar10 = defineRecipe({
  id: 'resnet20-bwn-cifar10',
  training: {
    model: 'resnet20',
    method: 'bwn',
    data: 'cifar10',
    epochs: 100,
    batch: 128,
    optimizer: 'adam',
    rate: 1e-3,
    weightDecay: 0,
    schedule: 'cosine',
    init: 'resnet20-float-cifar10',
    ...cifarAugmentation,
  },
  published: 0.899,
  source:
    'Chen et al., NeurIPS 2019, BWN by STE and Adam: the mean of the last ten epochs (best 90.47 %); github.com/csyhhu/MetaQuant',
  deviations:
    'a cosine, and float first and last layers; the code: steps by 0.1 every 30 epochs, and both binary (`--first-last binary-biased`)',
});
