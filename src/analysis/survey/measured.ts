import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { methodNamed } from '../../methods/table.ts';
import { RunFolder } from '../../train/run-folder.ts';
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
  /** Test accuracy of the last epoch. */
  readonly accuracy: number;
}

/** The finished runs whose logs lie in a folder, those of comparisons (`<comparison>/runs/<id>`) included. */
export function loggedRuns(folder: string): LoggedRun[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name): LoggedRun[] => {
    const run = new RunFolder(join(folder, name));
    if (!run.exists) return loggedRuns(join(folder, name, 'runs'));
    const last = run.readMetrics().at(-1);
    if (!last) return [];
    const { method, model, width, data, epochs } = run.readConfig();
    return last.epoch + 1 === epochs
      ? [{ folder: run.path, method, model, width, data, epochs, accuracy: last.testAccuracy }]
      : [];
  });
}

/** A run of a table's row, and its width as a multiple of the row's topology. */
export interface MeasuredRun extends LoggedRun {
  readonly relativeWidth: number;
}

/** The most accurate logged run of a row's method, bits and topology on CIFAR-10; at half the row's width only where none has all of it. */
export function measuredRun(row: SurveyRow, runs: readonly LoggedRun[]): MeasuredRun | null {
  const wanted = modelOf[row.cells[1] ?? ''];
  if (!row.id || !wanted) return null;
  const { weight, activation } = methodNamed(row.id).bits;
  if (row.cells[0] !== `${weight}/${activation}`) return null;
  const fitting = runs
    .filter(({ method, model, data }) => method === row.id && model === wanted.model && data === 'cifar10')
    .map((run) => ({ ...run, relativeWidth: run.width / wanted.width }))
    .filter(({ relativeWidth }) => relativeWidth === 1 || relativeWidth === 0.5);
  const ofWidth = fitting.filter(({ relativeWidth }) => relativeWidth === 1);
  return (ofWidth.length > 0 ? ofWidth : fitting).reduce<MeasuredRun | null>(
    (best, run) => (best && best.accuracy >= run.accuracy ? best : run),
    null,
  );
}
