import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const vggSmallIrNetCifar10 = defineRecipe({
  id: 'vgg-small-ir-net-cifar10',
  training: { model: 'vgg-small', method: 'ir-net', data: 'cifar10', ...cifarAugmentation },
  published: 0.904,
  source: 'Qin et al., CVPR 2020 (a user of the code: 87.8 %); github.com/htqin/IR-Net',
});
