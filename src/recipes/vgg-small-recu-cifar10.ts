import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const vggSmallRecuCifar10 = defineRecipe({
  id: 'vgg-small-recu-cifar10',
  training: { model: 'vgg-small', method: 'recu', data: 'cifar10', ...cifarAugmentation },
  published: 0.922,
  source: 'Xu et al., ICCV 2021; github.com/z-hXu/ReCU, "vanilla"',
});
