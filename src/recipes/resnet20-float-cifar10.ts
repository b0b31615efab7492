import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** The ceiling of its binary forms, their teacher and the start of those that begin with float weights. */
export const resnet20FloatCifar10 = defineRecipe({
  id: 'resnet20-float-cifar10',
  training: { model: 'resnet20', method: 'float', data: 'cifar10', ...cifarAugmentation },
  published: 0.9125,
  source: 'He et al., CVPR 2016, table 6',
  deviations: 'cosine over 200 epochs; the paper: two steps over 164',
});
