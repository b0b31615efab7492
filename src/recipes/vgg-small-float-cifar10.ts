import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** The ceiling of its binary forms, and their start. */
export const vggSmallFloatCifar10 = defineRecipe({
  id: 'vgg-small-float-cifar10',
  training: { model: 'vgg-small', method: 'float', data: 'cifar10', ...cifarAugmentation },
  published: 0.938,
  source: 'Zhang et al., ECCV 2018 (LQ-Nets): the float row; survey, table 3',
  deviations: 'cosine over 200 epochs',
});
