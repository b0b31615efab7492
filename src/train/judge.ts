import { Batches } from '../data/batches.ts';
import { type DataSet, type Split, sampleOf } from '../data/dataset.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import type { Result, Task } from '../tasks/task.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { WeightAverage } from './average.ts';
import { answersOf, judge } from './evaluate.ts';
import { type Purpose, purposeOf } from './purpose.ts';
import { reestimateNorms } from './reestimate-norms.ts';

/** How good a network is at its task, on the test images or a fixed sample of `limit` of them; it must not be in training mode. */
export function judgeTrained<R extends Result>(
  network: Network,
  task: Task<Truths, R>,
  data: DataSet<Split<object>>,
  limit = Number.POSITIVE_INFINITY,
): Promise<R> {
  const { head, place } = purposeOf(task, data, network.config.head);
  return judge(
    (images, count) => answersOf(network, new Tensor(images, [count, ...data.shape]), head),
    new Batches(data, sampleOf(data.test, limit), 256, task.truth),
    task.score(place, head),
  );
}

/** Judges a network while it is trained: of one with averages, these. */
export class Judge<R extends Result> {
  private readonly network: Network;
  private readonly purpose: Purpose<R>;
  private readonly average: WeightAverage | null;

  constructor(network: Network, average: WeightAverage | null, purpose: Purpose<R>) {
    this.network = network;
    this.purpose = purpose;
    this.average = average;
  }

  /** How good the network is on these images. @throws InterruptError when a signal asks to stop meanwhile */
  evaluate(batches: Batches<Truths>): Promise<R> {
    return this.whileAveraged(async () => {
      const { inputShape } = this.network.config;
      const { task, head, place } = this.purpose;
      const answer = (images: Float32Array, count: number) =>
        answersOf(this.network, new Tensor(images, [count, ...inputShape]), head);
      this.network.setTraining(false);
      try {
        return await judge(answer, batches, task.score(place, head));
      } finally {
        this.network.setTraining(true);
      }
    });
  }

  /** Measures batch-norm's statistics anew on these images. */
  reestimate(batches: AsyncIterable<{ images: Float32Array; count: number }>): Promise<void> {
    return this.whileAveraged(() => reestimateNorms(this.network, batches));
  }

  private whileAveraged<T>(body: () => Promise<T>): Promise<T> {
    return this.average ? this.average.whileInPlace(body) : body();
  }
}
