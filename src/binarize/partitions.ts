import { UsageError } from '../core/errors.ts';
import { floats } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { BinarizeContext } from './context.ts';
import {
  type Initial,
  type LayerOwn,
  type LayerStart,
  type LayerValues,
  learning,
  type Quantizer,
} from './quantizer.ts';
import type { WeightBits } from './terms.ts';

/** The magnitude that a share of the values reaches; 0 for all of them. */
export function magnitudeReachedBy(values: Float32Array, share: number): number {
  if (share >= 1) return 0;
  const magnitudes = Float32Array.from(values, Math.abs).sort();
  const below = Math.floor((1 - share) * values.length);
  return share <= 0 ? Number.POSITIVE_INFINITY : magnitudes[below]!;
}

/** q where |w| reaches the threshold, w elsewhere; each passes the gradient of its places. */
function mix(w: Tensor, q: Tensor, threshold: number): Tensor {
  const y = emptyTensor(w.shape);
  const chosen = (i: number) => Math.abs(w.data[i]!) >= threshold;
  for (let i = 0; i < y.size; i++) y.data[i] = chosen(i) ? q.data[i]! : w.data[i]!;
  const backward = (g: Float32Array) => {
    const [dw, dq] = [floats(g.length), floats(g.length)];
    for (let i = 0; i < g.length; i++) {
      dw[i] = chosen(i) ? 0 : g[i]!;
      dq[i] = chosen(i) ? g[i]! : 0;
    }
    return [dw, dq];
  };
  return record('mixWeights', [w, q], y, backward, { saved: [] });
}

/**
 * Quantizes a growing share of a layer's weights, the largest first, and leaves the others float to make up for them; the share is the schedule
 * value `shareName`, and 1 quantizes all.
 *
 * @throws UsageError when the quantizer's weights are not of the shape of the latent ones
 * Source: Zhou 2017 (INQ), sec. 2.2, for any quantizer; survey sec. 3.5.
 */
export function partitioned(shareName: string, quantizer: Quantizer<WeightBits>): Quantizer<WeightBits> {
  const start = (layer: LayerStart): LayerValues => {
    const values = quantizer.start?.(layer) ?? {};
    // once on first values, so that a network that cannot be is refused before it is trained
    oneEach(quantizer(layer.weight, new BinarizeContext(0), ownOf(values)), layer.weight);
    return values;
  };
  return learning<WeightBits>(start, (w, context, own) => {
    const q = oneEach(quantizer(w, context, own), w);
    const share = context.value(shareName, 1);
    return share >= 1 ? q : mix(w, q, magnitudeReachedBy(w.data, share));
  });
}

function oneEach(q: WeightBits, w: Tensor): Exclude<WeightBits, { readonly filters: unknown }> {
  if ('filters' in q || q.size !== w.size)
    throw new UsageError('partitions: this method has several weights for one latent weight, or the other way round');
  return q;
}

/** First values as a layer would hold them, to try a quantizer on. */
function ownOf({ learned = {}, kept = {} }: LayerValues): LayerOwn {
  const tensor = ({ values, shape }: Initial) => new Tensor(values.slice(), shape ?? [values.length]);
  const mapped = <V, W>(record: Readonly<Record<string, V>>, map: (value: V) => W): Record<string, W> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
  return { learned: mapped(learned, tensor), kept: mapped(kept, (values) => values.slice()) };
}
