import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const vggSmallRbnnCifar10 = defineRecipe({
  id: 'vgg-small-rbnn-cifar10',
  training: { model: 'vgg-small', method: 'rbnn', data: 'cifar10', ...cifarAugmentation },
  published: 0.913,
  source: 'Lin et al., NeurIPS 2020',
});
