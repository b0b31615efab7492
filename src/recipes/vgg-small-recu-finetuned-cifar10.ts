import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** Activations become binary first, from float weights, then the weights. */
export const vggSmallRecuFinetunedCifar10 = defineRecipe({
  id: 'vgg-small-recu-finetuned-cifar10',
  training: {
    model: 'vgg-small',
    method: 'recu',
    data: 'cifar10',
    stages: 'activations-first',
    init: 'vgg-small-float-cifar10',
    ...cifarAugmentation,
  },
  published: 0.933,
  source: 'github.com/z-hXu/ReCU, "finetune"',
  deviations: 'one schedule over both halves; the float start is of the relu structure',
});
