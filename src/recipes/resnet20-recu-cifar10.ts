import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20RecuCifar10 = defineRecipe({
  id: 'resnet20-recu-cifar10',
  training: { model: 'resnet20', method: 'recu', data: 'cifar10', ...cifarAugmentation },
  published: 0.875,
  source: 'Xu et al., ICCV 2021; github.com/z-hXu/ReCU, "vanilla"',
});
