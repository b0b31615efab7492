import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const vggSmallSimanCifar10 = defineRecipe({
  id: 'vgg-small-siman-cifar10',
  training: { model: 'vgg-small', method: 'siman', data: 'cifar10', ...cifarAugmentation },
  published: 0.925,
  source: 'Lin et al., TPAMI 2022; github.com/lmbxmu/SiMaN',
});
