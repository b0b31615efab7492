import { Batches } from '../data/batches.ts';
import { type DataSet, type Split, sampleOf } from '../data/dataset.ts';
import { fitToModel, type ModelImages } from '../data/fit-model.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import { type Packed, type PackOptions, pack } from '../pack/pack.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { placeOf } from '../runtime/tasks/decoder.ts';
import { headNamed } from '../tasks/table.ts';
import type { Result, Task } from '../tasks/task.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Evaluation, evaluate, judge } from '../train/evaluate.ts';
import { requireSameTask } from '../train/purpose.ts';

/** Packs a network, verified on the first test images. @param options as of `pack` */
export async function packForData(
  network: Network,
  data: DataSet<Split<object>>,
  options: Pick<PackOptions, 'allowFloat' | 'verifyOn' | 'ops' | 'task'> = {},
): Promise<Packed> {
  // what is known of images is no matter here
  const { images, count } = await new Batches(data, data.test, 64, []).plain(0);
  return pack(network, new Tensor(images, [count, ...data.shape]), {
    classes: data.classes,
    mean: data.mean,
    std: data.std,
    ...(data.resize ? { resize: data.resize } : {}),
    ...options,
  });
}

/** What a packed model says of the images that it is for. */
export const packedImages = ({ graph }: Pick<PackedModel, 'graph'>): ModelImages => ({
  shape: graph.input,
  classes: graph.classes,
  mean: graph.mean,
  std: graph.std,
  resize: graph.inputs[0]!.picture?.resize,
});

/**
 * Accuracy of a packed model on the test images, or on a fixed sample of `limit` of them, as the model sees them (`fitToModel`).
 *
 * @returns the confusion of the model's classes, in its order
 * @throws DataError when they are not its images
 */
export function evaluatePacked(
  model: Pick<PackedModel, 'run' | 'graph'>,
  data: DataSet,
  limit = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  const { data: fitted } = fitToModel(data, packedImages(model), 'evaluate');
  return evaluate(
    (images, count) => model.run({ data: images, shape: [count, ...fitted.shape] }),
    new Batches(fitted, sampleOf(fitted.test, limit), 256),
    fitted.classes.length,
  );
}

/**
 * How good a packed model is at its task, as `evaluatePacked` of any.
 *
 * @throws UsageError for a model of another task
 */
export function judgePacked<R extends Result>(
  model: Pick<PackedModel, 'runAll' | 'graph'>,
  task: Task<Truths, R>,
  data: DataSet<Split<object>>,
  limit = Number.POSITIVE_INFINITY,
): Promise<R> {
  const { graph } = model;
  requireSameTask({ task: graph.task.id }, task);
  const head = headNamed(task, graph.head.id);
  const { data: fitted } = fitToModel(data, packedImages(model), 'evaluate', task.truth);
  const { name } = graph.inputs[0]!;
  return judge(
    (images, count) => model.runAll({ [name]: { data: images, shape: [count, ...fitted.shape] } }),
    new Batches(fitted, sampleOf(fitted.test, limit), 256, task.truth),
    task.score(placeOf(graph), head),
  );
}
