import type { Batches } from '../data/batches.ts';
import type { Network } from '../models/network.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { WeightAverage } from './average.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { reestimateNorms } from './reestimate-norms.ts';

/** Judges a network while it is trained: of one with averages, these. */
export class Judge {
  private readonly network: Network;
  private readonly average: WeightAverage | null;

  constructor(network: Network, average: WeightAverage | null) {
    this.network = network;
    this.average = average;
  }

  /** How good the network is on these images. @throws InterruptError when a signal asks to stop meanwhile */
  evaluate(batches: Batches): Promise<Evaluation> {
    return this.whileAveraged(async () => {
      const { inputShape, classes } = this.network.config;
      this.network.setTraining(false);
      try {
        return await evaluate(
          (images, count) =>
            inference(() => this.network.forward(new Tensor(images, [count, ...inputShape])).data.slice()),
          batches,
          classes,
        );
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
