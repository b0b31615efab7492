import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const vggSmallAdaBinCifar10 = defineRecipe({
  id: 'vgg-small-ada-bin-cifar10',
  training: { model: 'vgg-small', method: 'ada-bin', data: 'cifar10', ...cifarAugmentation },
  published: 0.923,
  source: 'Tu et al., ECCV 2022',
});
