import { kernels } from '../backend/select.ts';
import type { StoredTensor } from '../core/safetensors.ts';
import type { Network } from '../models/network.ts';
import { batchNormsOf } from '../nn/batch-norm.ts';

const prefix = 'ema/';

/** What is averaged: all that is learned, and batch-norm's statistics; what quantizers keep is of the weights of its moment. */
function averagedArrays(network: Network): { name: string; data: Float32Array }[] {
  const statistics = new Set(
    batchNormsOf(network).flatMap(({ runningMean, runningVariance }) => [runningMean, runningVariance]),
  );
  return [
    ...network.parameters().map(({ name, value }) => ({ name, data: value.data })),
    ...network.stateArrays().flatMap(({ name, value }) => (statistics.has(value) ? [{ name, data: value.data }] : [])),
  ];
}

/** Exponential moving averages of a network's latent weights, other parameters and statistics, beside the network itself. */
export class WeightAverage {
  private readonly decay: number;
  private readonly averages: readonly { name: string; data: Float32Array; mean: Float32Array }[];

  /** @param decay in (0,1): how much of the average a step leaves */
  constructor(network: Network, decay: number) {
    this.decay = decay;
    this.averages = averagedArrays(network).map((array) => ({ ...array, mean: array.data.slice() }));
  }

  /**
   * mean <- d mean + (1 - d) now, d = min(decay, (1 + step)/(10 + step)): early steps, far from the end, are soon forgotten.
   *
   * @param step counts from 1
   */
  update(step: number): void {
    const keep = Math.min(this.decay, (1 + step) / (10 + step));
    for (const { data, mean } of this.averages) kernels().blend(data, 1 - keep, keep, mean);
  }

  /** Runs `body` with the averages in the network; signs are those of the average. */
  async whileInPlace<T>(body: () => Promise<T>): Promise<T> {
    this.exchange();
    try {
      return await body();
    } finally {
      this.exchange();
    }
  }

  /** Leaves the averages in the network. */
  settle(): void {
    for (const { data, mean } of this.averages) data.set(mean);
  }

  private exchange(): void {
    for (const { data, mean } of this.averages) {
      const now = data.slice();
      data.set(mean);
      mean.set(now);
    }
  }

  /** What a checkpoint holds of it. */
  tensors(): [string, StoredTensor][] {
    return this.averages.map(({ name, mean }) => [prefix + name, { shape: [mean.length], data: mean }]);
  }

  /** Goes on from a checkpoint; one without averages leaves them at its weights. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    for (const { name, data, mean } of this.averages) mean.set(averageOf(tensors, name, mean.length) ?? data);
  }
}

function averageOf(tensors: ReadonlyMap<string, StoredTensor>, name: string, size: number): Float32Array | null {
  const data = tensors.get(prefix + name)?.data;
  return data instanceof Float32Array && data.length === size ? data : null;
}

/** Whether a checkpoint holds averages. */
export const hasAverages = (tensors: ReadonlyMap<string, StoredTensor>): boolean =>
  [...tensors.keys()].some((name) => name.startsWith(prefix));

/** Puts the averages that a checkpoint holds into its network. @returns whether it holds any */
export function adoptAverages(network: Network, tensors: ReadonlyMap<string, StoredTensor>): boolean {
  let found = false;
  for (const { name, data } of averagedArrays(network)) {
    const mean = averageOf(tensors, name, data.length);
    if (!mean) continue;
    data.set(mean);
    found = true;
  }
  return found;
}
