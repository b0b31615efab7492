import type { RecipeTraining } from './recipe.ts';

/**
 * Fine-tuning in two trainings: binary activations with float weights first, then binary weights from there, whose latents do not decay; each with the
 * whole rate, half taught by labels and half by a float network. RPReLU; the statistics of batch-norm are measured anew at the end.
 *
 * @param float recipe of the network that it starts from and learns from
 */
export const activationsThenWeights = (
  float: string,
): Pick<RecipeTraining, 'stages' | 'activation' | 'init'> &
  Pick<RecipeTraining, 'teacher' | 'distill' | 'temperature' | 'reestimateNorm'> => ({
  stages: [{ binary: 'activations' }, { binary: 'both', decayOf: { latents: 0 } }],
  activation: 'rprelu',
  init: float,
  teacher: float,
  distill: 0.5,
  temperature: 4,
  reestimateNorm: 5000,
});
