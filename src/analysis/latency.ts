import type { PackedModel } from '../runtime/packed-model.ts';

const repeats = 20;

/** Milliseconds in which a packed network answers for one image: the median of twenty. */
export function latencyMs(model: PackedModel): number {
  const image = new Float32Array(model.graph.input.reduce((a, b) => a * b)).fill(0.5);
  const times = Array.from({ length: repeats }, () => {
    const begin = performance.now();
    model.run(image);
    return performance.now() - begin;
  });
  return times.sort((a, b) => a - b)[repeats >> 1]!;
}
