import { cifarAugmentation, defineRecipe } from './recipe.ts';
import { activationsThenWeights } from './two-stages.ts';

/** Two trainings: binary activations with float weights, then binary weights from there. */
export const resnet20RecuFinetunedCifar10 = defineRecipe({
  id: 'resnet20-recu-finetuned-cifar10',
  training: {
    model: 'resnet20',
    method: 'recu',
    data: 'cifar10',
    ...activationsThenWeights('resnet20-float-cifar10'),
    ...cifarAugmentation,
  },
  published: 0.88,
  source: 'github.com/z-hXu/ReCU, "finetune"',
  deviations:
    'the authors do not say how they fine-tune on CIFAR: RPReLU, half of the loss from a float network, statistics measured anew; the float start is of the relu structure',
});
