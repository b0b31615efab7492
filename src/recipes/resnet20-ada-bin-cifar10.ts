import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20AdaBinCifar10 = defineRecipe({
  id: 'resnet20-ada-bin-cifar10',
  training: { model: 'resnet20', method: 'ada-bin', data: 'cifar10', ...cifarAugmentation },
  published: 0.8802,
  source: 'Tu et al., ECCV 2022: the network that the authors published, evaluated',
});
