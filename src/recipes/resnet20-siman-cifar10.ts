import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20SimanCifar10 = defineRecipe({
  id: 'resnet20-siman-cifar10',
  training: { model: 'resnet20', method: 'siman', data: 'cifar10', ...cifarAugmentation },
  published: 0.874,
  source: 'Lin et al., TPAMI 2022; github.com/lmbxmu/SiMaN',
});
