import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** Activations become binary first, from float weights, then the weights. */
export const resnet20RecuFinetunedCifar10 = defineRecipe({
  id: 'resnet20-recu-finetuned-cifar10',
  training: {
    model: 'resnet20',
    method: 'recu',
    data: 'cifar10',
    stages: 'activations-first',
    init: 'resnet20-float-cifar10',
    ...cifarAugmentation,
  },
  published: 0.88,
  source: 'github.com/z-hXu/ReCU, "finetune"',
  deviations: 'one schedule over both halves; the float start is of the relu structure',
});
