import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** A quarter of the binary multiplications of VGG-Small. */
export const vggSmallHalfSimanCifar10 = defineRecipe({
  id: 'vgg-small-half-siman-cifar10',
  training: { model: 'vgg-small', width: 0.5, method: 'siman', data: 'cifar10', epochs: 200, ...cifarAugmentation },
  source: 'as VGG-Small by Lin et al., TPAMI 2022, of half the channels',
});
