import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20RbnnCifar10 = defineRecipe({
  id: 'resnet20-rbnn-cifar10',
  training: { model: 'resnet20', method: 'rbnn', data: 'cifar10', ...cifarAugmentation },
  published: 0.878,
  source: 'Lin et al., NeurIPS 2020, Bi-Real structure (a user of github.com/lmbxmu/RBNN: 86.1 %)',
});
