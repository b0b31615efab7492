import { Random } from '../core/random.ts';
import type { DataSet } from '../data/dataset.ts';
import { methodNamed } from '../methods/table.ts';
import { Tensor } from '../tensor/tensor.ts';
import { optimizerOf, type TrainConfig } from '../train/config.ts';
import { taught } from '../train/distillation.ts';
import { networkFor } from '../train/network-for.ts';
import type { House } from '../train/plugin.ts';
import { TrainingStep } from '../train/step.ts';
import { teacherFor } from '../train/teacher.ts';
import type { Plan } from './plan.ts';

const warmUpSteps = 3;
const timedSteps = 8;

/** Training speed in images per second, measured on random images; data loading runs beside it and is not counted. */
function imagesPerSecond(config: TrainConfig, data: DataSet, own: House): number {
  const network = networkFor(config, data, own);
  const method = taught(config, network.method);
  const step = new TrainingStep(
    network,
    teacherFor(method, network, config.teacher, undefined, undefined, own),
    optimizerOf(config, method),
    new Map(),
    config,
    method,
  );
  const random = new Random(config.seed);
  const pixels = new Float32Array(config.batch * data.shape.reduce((a, b) => a * b));
  random.fillNormal(pixels, 0, 1);
  const images = new Tensor(pixels, [config.batch, ...data.shape]);
  const labels = Uint16Array.from({ length: config.batch }, () => random.integer(data.classes.length));
  const run = (number: number) =>
    step.run(
      images,
      { labels },
      { progress: 0, epoch: 0, rate: 1e-4, step: number },
      { onLoss: () => {}, onGradients: () => {} },
    );
  for (let i = 1; i <= warmUpSteps; i++) run(i);
  const begin = performance.now();
  for (let i = 1; i <= timedSteps; i++) run(warmUpSteps + i);
  return (1000 * timedSteps * config.batch) / (performance.now() - begin);
}

/**
 * How many epochs a run gets. For a budget in minutes, those that fit at the speed this machine has now, at least one a stage: the number is kept
 * with the run, so that its command reproduces it anywhere.
 */
export function epochsWithin({ budget, own }: Plan, config: TrainConfig, data: DataSet): number {
  if ('epochs' in budget) return budget.epochs;
  const images = Math.min(data.train.count, config.limit ?? Number.POSITIVE_INFINITY);
  const fewest = methodNamed(config.method, undefined, own.methods).stages?.length ?? 1;
  return Math.max(fewest, Math.floor((budget.minutes * 60 * imagesPerSecond(config, data, own)) / images));
}
