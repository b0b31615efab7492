import { existsSync } from 'node:fs';
import { printable } from '../core/printable.ts';
import { inSourceOrder } from '../data/class-order.ts';
import type { DataSet, Split } from '../data/dataset.ts';
import { type FittedData, fitToModel, haveSameClasses, type ModelImages } from '../data/fit-model.ts';
import type { LoadOptions } from '../data/load-options.ts';
import { loadDataSet } from '../data/table.ts';
import type { Truth } from '../data/truth.ts';
import { classTruth } from '../data/truths/classes.ts';
import { type LoadedCheckpoint, readCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { checkpointOf } from './load-network.ts';
import type { Plugin } from './plugin.ts';
import { isPlace } from './stage-options.ts';

/** What of a run's options says which images it is about. */
export type DataChoice = Pick<TrainConfig, 'data' | 'splitSeed' | 'allowBroken'>;

/**
 * The data set that a run's options name.
 *
 * @param tell hears what was found, and later of pictures that fail
 * @param own data sets that the name is looked up in first
 */
export const loadDataOf = (
  { data, splitSeed, allowBroken }: DataChoice,
  tell?: LoadOptions['tell'],
  own: Pick<Plugin, 'data'> = {},
): Promise<DataSet> => loadDataSet(data, { splitSeed, allowBroken, ...(tell ? { tell } : {}) }, own.data);

/** What a checkpoint says of the images that its network is for. */
export const imagesOf = ({ network, classes, mean, std }: LoadedCheckpoint): ModelImages => ({
  shape: network.inputShape,
  classes,
  mean,
  std,
});

/** As the network that it starts from sees them, as far as that tells the same classes apart. */
function afterInit<S extends Split<object>>(
  data: DataSet<S>,
  { classes, mean, std, shape }: ModelImages,
  truth: Truth,
): FittedData<S> {
  const own = haveSameClasses(classes, data.classes) ? classes : data.classes;
  const normalisation = shape[2] === data.shape[2] ? { mean, std } : { mean: data.mean, std: data.std };
  return fitToModel(data, { shape: data.shape, classes: own, ...normalisation }, 'train', truth);
}

/** Of the run, or of its first stage that names one. */
function firstTeacherOf({ teacher, stages }: TrainConfig): string | undefined {
  if (teacher !== undefined || !Array.isArray(stages)) return teacher;
  return stages.find((stage) => stage.teacher !== undefined && !isPlace(stage.teacher))?.teacher;
}

/**
 * The images that a run is trained on: as its checkpoint saw them when it is resumed, else as its teacher does, whose answers it learns from,
 * or the network that it starts from.
 *
 * @param checkpoint of the run itself; null for a new one
 * @throws DataError when they are not the images that the checkpoint or the teacher is for
 */
export function trainingData<S extends Split<object>>(
  config: TrainConfig,
  data: DataSet<S>,
  checkpoint: LoadedCheckpoint | null,
  truth: Truth = classTruth,
): FittedData<S> {
  if (checkpoint) {
    // a seed draws by place: what was begun on the order of the files goes on with it
    const ordered = checkpoint.order === data.order ? data : inSourceOrder(data);
    const { data: fitted, notes } = fitToModel(ordered, imagesOf(checkpoint), 'train', truth);
    const { images = data.train.count } = checkpoint;
    const changed = `${printable(data.name)} has ${data.train.count} training images, ${images} when the run was stopped: it goes on, but not as one that never stopped`;
    return { data: fitted, notes: images === data.train.count ? notes : [...notes, changed] };
  }
  const source = (path: string | undefined) => {
    const file = path === undefined ? null : checkpointOf(path);
    return file && existsSync(file) ? imagesOf(readCheckpoint(file)) : null;
  };
  const [teacher, init] = [source(firstTeacherOf(config)), source(config.init)];
  if (teacher) return fitToModel(data, teacher, 'train', truth);
  return init ? afterInit(data, init, truth) : { data, notes: [] };
}
