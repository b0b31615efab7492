import { cifarAugmentation, defineRecipe } from './recipe.ts';

export const resnet20IrNetCifar10 = defineRecipe({
  id: 'resnet20-ir-net-cifar10',
  training: { model: 'resnet20', method: 'ir-net', data: 'cifar10', ...cifarAugmentation },
  published: 0.865,
  source: 'Qin et al., CVPR 2020, Bi-Real structure; github.com/htqin/IR-Net',
});
