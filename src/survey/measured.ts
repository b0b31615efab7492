import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { methodNamed } from '../methods/table.ts';
import { askedOf } from '../train/config.ts';
import { RunFolder } from '../train/run-folder.ts';
import type { SurveyRow } from './table.ts';

/** Topologies of the tables under Signum's names. */
const modelOf: Record<string, { model: string; width: number }> = {
  'VGG-Small': { model: 'vgg-small', width: 1 },
  'ResNet-20': { model: 'resnet20', width: 1 },
  'ResNet-20 (2x)': { model: 'resnet20', width: 2 },
  'ResNet-20 (4x)': { model: 'resnet20', width: 4 },
  'ResNet-32': { model: 'resnet32', width: 1 },
  'ResNet-44': { model: 'resnet44', width: 1 },
  'ResNet-18': { model: 'resnet18', width: 1 },
  'VGG-11': { model: 'vgg11', width: 1 },
  NIN: { model: 'nin', width: 1 },
};

export interface LoggedRun {
  readonly folder: string;
  readonly method: string;
  readonly model: string;
  readonly width: number;
  readonly data: string;
  readonly epochs: number;
  /** Its configuration but for what differs between seeds. */
  readonly recipe: string;
  /** Test accuracy of the last epoch. */
  readonly accuracy: number;
  /** The log says that the images are those that were published. */
  readonly originalPixels: boolean;
}

/** The finished runs whose logs lie in a folder, those of comparisons (`<comparison>/runs/<id>`) included. */
export function loggedRuns(folder: string): LoggedRun[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name): LoggedRun[] => {
    const run = new RunFolder(join(folder, name));
    if (!run.exists) return loggedRuns(join(folder, name, 'runs'));
    const last = run.readMetrics().at(-1);
    if (!last) return [];
    const { seed: _seed, init: _init, teacher: _teacher, ...config } = askedOf(run.readConfig());
    const { method, model, width, data, epochs } = config;
    const recipe = JSON.stringify(config);
    return last.epoch + 1 === epochs
      ? [
          {
            folder: run.path,
            method,
            model,
            width,
            data,
            epochs,
            recipe,
            accuracy: last.testAccuracy ?? Number.NaN,
            originalPixels: last.originalPixels === true,
          },
        ]
      : [];
  });
}

/** What a table's row reached here. */
export interface Measured {
  readonly epochs: number;
  /** Width as a multiple of the row's topology. */
  readonly relativeWidth: number;
  /** Mean over the seeds. */
  readonly accuracy: number;
  /** Run folders, one per seed. */
  readonly folders: readonly string[];
}

/** Runs that differ by nothing but their seed are one measurement: the luckiest of them is none. */
function overSeeds(runs: readonly LoggedRun[], rowWidth: number): Measured[] {
  const recipes = new Map<string, LoggedRun[]>();
  for (const run of runs) recipes.set(run.recipe, [...(recipes.get(run.recipe) ?? []), run]);
  return [...recipes.values()].map((seeds) => ({
    epochs: seeds[0]!.epochs,
    relativeWidth: seeds[0]!.width / rowWidth,
    accuracy: seeds.reduce((sum, { accuracy }) => sum + accuracy, 0) / seeds.length,
    folders: seeds.map(({ folder }) => folder),
  }));
}

/**
 * The most accurate recipe of a row's method, bits and topology on CIFAR-10; at half the row's width only where none has all of it. Of other
 * pixels than the published ones nothing may stand beside a published figure.
 */
export function measuredFor(row: SurveyRow, runs: readonly LoggedRun[]): Measured | null {
  const wanted = modelOf[row.cells[1] ?? ''];
  if (!row.id || !wanted) return null;
  const { weight, activation } = methodNamed(row.id).bits;
  if (row.cells[0] !== `${weight}/${activation}`) return null;
  const fitting = runs.filter(
    ({ method, model, data, originalPixels }) =>
      method === row.id && model === wanted.model && data === 'cifar10' && originalPixels,
  );
  const measured = overSeeds(fitting, wanted.width);
  const [whole, half] = [1, 0.5].map((width) => measured.filter(({ relativeWidth }) => relativeWidth === width));
  return [...(whole!.length > 0 ? whole! : half!)].sort((a, b) => b.accuracy - a.accuracy)[0] ?? null;
}
