import { Batches } from '../data/batches.ts';
import type { DataSet } from '../data/dataset.ts';
import { methodNamed } from '../methods/table.ts';
import { Tensor } from '../tensor/tensor.ts';
import { optimizerOf, type TrainConfig } from '../train/config.ts';
import { taught } from '../train/distillation.ts';
import { networkFor } from '../train/network-for.ts';
import type { House } from '../train/plugin.ts';
import { purposeOf, taskOf } from '../train/purpose.ts';
import { type Known, TrainingStep } from '../train/step.ts';
import { teacherFor } from '../train/teacher.ts';
import type { Plan } from './plan.ts';

const warmUpSteps = 3;
const timedSteps = 8;

/** Training speed in images per second, measured on the first batch again and again; data loading runs beside it and is not counted. */
async function imagesPerSecond(config: TrainConfig, data: DataSet, own: House): Promise<number> {
  const task = taskOf(config, own);
  const network = networkFor(config, data, own);
  const method = taught(config, network.method);
  const step = new TrainingStep(
    network,
    teacherFor(method, network, config.teacher, undefined, undefined, { ...own, heads: task.heads }),
    optimizerOf(config, method),
    new Map(),
    config,
    method,
    purposeOf(task, data, network.config.head),
  );
  const batch = await new Batches(data, data.train, config.batch, task.truth).plain(0);
  const images = new Tensor(batch.images, [batch.count, ...data.shape]);
  const run = (number: number) =>
    step.run(
      images,
      batch as unknown as Known,
      { progress: 0, epoch: 0, rate: 1e-4, step: number },
      { onLoss: () => {}, onGradients: () => {} },
    );
  for (let i = 1; i <= warmUpSteps; i++) run(i);
  const begin = performance.now();
  for (let i = 1; i <= timedSteps; i++) run(warmUpSteps + i);
  return (1000 * timedSteps * batch.count) / (performance.now() - begin);
}

/**
 * How many epochs a run gets. For a budget in minutes, those that fit at the speed this machine has now, at least one a stage: the number is kept
 * with the run, so that its command reproduces it anywhere.
 */
export async function epochsWithin({ budget, own }: Plan, config: TrainConfig, data: DataSet): Promise<number> {
  if ('epochs' in budget) return budget.epochs;
  const images = Math.min(data.train.count, config.limit ?? Number.POSITIVE_INFINITY);
  const fewest = methodNamed(config.method, undefined, own.methods).stages?.length ?? 1;
  return Math.max(fewest, Math.floor((budget.minutes * 60 * (await imagesPerSecond(config, data, own))) / images));
}
