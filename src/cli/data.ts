import { dirname } from 'node:path';
import type { Load } from '../compare/loaded-once.ts';
import { UsageError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import { isFolder } from '../data/files.ts';
import { fitToModel, type ModelImages } from '../data/fit-model.ts';
import type { Truth } from '../data/truth.ts';
import type { TrainConfig } from '../train/config.ts';
import { type DataChoice, imagesOf, loadDataOf } from '../train/data-of.ts';
import type { House } from '../train/plugin.ts';
import { taskOf, tellsClasses } from '../train/purpose.ts';
import { RunFolder } from '../train/run-folder.ts';
import { tellLine } from './output.ts';
import type { WithPlugins } from './plugins.ts';
import { loadNetwork, type Weights } from './trained.ts';

/** The images that options name; one line says what a folder holds. */
export const loadData = (choice: DataChoice, house: House): Promise<DataSet> => loadDataOf(choice, tellLine, house);

/** What a command says instead of the run's own options. */
export interface OtherData extends Weights, WithPlugins {
  readonly data?: string | undefined;
  readonly allowBroken?: number | undefined;
  readonly splitSeed?: number | undefined;
}

/** The images of a run, or other ones, as a model sees them; what differs is said. @throws DataError when they are not its images */
export async function loadDataFor(
  model: ModelImages,
  config: DataChoice,
  { data = config.data, allowBroken = config.allowBroken, splitSeed = config.splitSeed }: OtherData,
  load: Load,
  truth?: Truth,
): Promise<DataSet> {
  const fitted = fitToModel(await load({ data, allowBroken, splitSeed }), model, 'evaluate', truth);
  for (const note of fitted.notes) tellLine(note);
  return fitted.data;
}

/** The same for what only makes sense where images have one class each. @throws UsageError for a run of another task */
export async function openClassifier(...of: Parameters<typeof openRun>) {
  const opened = await openRun(...of);
  if (tellsClasses(opened.task)) return opened;
  throw new UsageError(
    `${of[0]} is of task "${opened.task.id}": this is for networks that tell classes of images apart`,
  );
}

/** The folder of a run, of its checkpoint or of its packed model. */
export const runFolderOf = (path: string): RunFolder => new RunFolder(isFolder(path) ? path : dirname(path));

/** A run's network with its trained weights, its options, its task, and its images (or other ones) as it sees them. */
export async function openRun(
  path: string,
  other: OtherData,
  house: House,
  load: Load = (choice) => loadData(choice, house),
) {
  const { network, checkpoint } = loadNetwork(path, house, other);
  const config: TrainConfig = runFolderOf(path).readConfig();
  const task = taskOf(checkpoint, house);
  const data = await loadDataFor(imagesOf(checkpoint), config, other, load, task.truth);
  return { network, checkpoint, config, task, data };
}
