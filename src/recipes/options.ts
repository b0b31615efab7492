import { existsSync } from 'node:fs';
import { UsageError } from '../core/errors.ts';
import { methodOn } from '../methods/table.ts';
import type { Own } from '../models/table.ts';
import type { TrainOptions } from '../train/config.ts';
import { checkpointOf } from '../train/load-network.ts';
import { epochsOfStages } from '../train/stage-options.ts';
import type { Recipe } from './recipe.ts';
import { recipeNamed, recipes } from './table.ts';

/** The run that an option names: a path, or the recipe whose run under `runs/` is meant. @throws UsageError when that is not trained yet */
function requireRun(recipe: Recipe, option: 'init' | 'teacher', run: string | undefined): void {
  if (run === undefined || !recipes.some(({ id }) => id === run)) return;
  const file = checkpointOf(run);
  if (file && existsSync(file)) return;
  const does = option === 'init' ? 'starts from' : 'learns from';
  throw new UsageError(
    `recipe ${recipe.id} ${does} a run of ${run}, and there is none at runs/${run}: \`signum train --recipe ${run}\` first, or give another trained network by --${option} <run>`,
  );
}

/**
 * The options of `trainRun` that a recipe stands for.
 *
 * @param of the recipe, or its name
 * @param changes options that override the recipe's
 * @param own methods that these may name
 * @throws UsageError for an unknown recipe, and for one whose start or teacher has to be trained first
 */
export function recipeOptions(of: string | Recipe, changes: Partial<TrainOptions> = {}, own: Own = {}): TrainOptions {
  const recipe = typeof of === 'string' ? recipeNamed(of) : of;
  const options = { ...recipe.training, ...changes };
  const { epochs, batch } = methodOn(options.model, options.method, undefined, own.methods).defaults;
  for (const option of ['init', 'teacher'] as const) requireRun(recipe, option, options[option]);
  return { epochs: epochsOfStages(options.stages) ?? epochs, batch, ...options };
}
