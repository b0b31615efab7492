import { cifarAugmentation, defineRecipe } from './recipe.ts';
import { activationsThenWeights } from './two-stages.ts';

/** Two trainings: binary activations with float weights, then binary weights from there. */
export const vggSmallRecuFinetunedCifar10 = defineRecipe({
  id: 'vgg-small-recu-finetuned-cifar10',
  training: {
    model: 'vgg-small',
    method: 'recu',
    data: 'cifar10',
    ...activationsThenWeights('vgg-small-float-cifar10'),
    cutout: 16,
    ...cifarAugmentation,
  },
  published: 0.933,
  source: 'github.com/z-hXu/ReCU, "finetune"',
  deviations:
    'the authors do not say how they fine-tune on CIFAR: RPReLU, half of the loss from a float network, Cutout, statistics measured anew; the float start is of the relu structure',
});
