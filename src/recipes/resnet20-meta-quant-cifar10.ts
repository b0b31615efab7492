import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20MetaQuantCifar10 = defineRecipe({
  id: 'resnet20-meta-quant-cifar10',
  training: {
    model: 'resnet20',
    method: 'meta-quant',
    data: 'cifar10',
    init: 'resnet20-float-cifar10',
    ...cifarAugmentation,
  },
  published: 0.8894,
  source:
    'Chen et al., NeurIPS 2019, MultiFC, SGD: the mean of the last ten epochs (best 89.67 %); github.com/csyhhu/MetaQuant',
});
