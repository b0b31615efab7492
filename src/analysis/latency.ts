import type { PackedModel } from '../runtime/packed-model.ts';

/** Until then the first runs compile code, fill caches and wake threads. */
const warmUpMs = 100;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Images to time a network with: what stands in them changes no time. */
export const greyImages = (model: PackedModel, batch: number) =>
  new Float32Array(batch * model.graph.input.reduce((a, b) => a * b)).fill(0.5);

/** Milliseconds in which a packed network answers for a batch of images: the median of `repeats`. */
export function latencyMs(model: PackedModel, batch = 1, repeats = 20): number {
  const images = greyImages(model, batch);
  const times = Array.from({ length: repeats }, () => {
    const begin = performance.now();
    model.run(images);
    return performance.now() - begin;
  });
  return median(times);
}

/**
 * Milliseconds of every node of a network by the value it computes, medians of `repeats` runs after a warm-up. */
export function nodeTimes(model: PackedModel, batch: number, repeats: number): Map<number, number> {
  const images = greyImages(model, batch);
  const begin = performance.now();
  do model.run(images);
  while (performance.now() - begin < warmUpMs);
  const samples = new Map<number, number[]>(model.graph.nodes.map(({ output }) => [output, []]));
  for (let i = 0; i < repeats; i++) model.run(images, (node, _value, ms) => samples.get(node.output)!.push(ms));
  return new Map([...samples].map(([id, times]) => [id, median(times)]));
}
