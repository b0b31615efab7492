import { kernels } from '../backend/select.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Mean of each filter, [...,C] -> [C], with its gradient. */
export function filterMeans(w: Tensor): Tensor {
  const y = emptyTensor([w.channels]);
  kernels().columnSums(w.data, y.data, w.rows, w.channels);
  for (let c = 0; c < y.size; c++) y.data[c]! /= w.rows;
  const backward = (dy: Float32Array) => {
    const dw = floats(w.size);
    for (let i = 0; i < dw.length; i++) dw[i] = dy[i % w.channels]! / w.rows;
    return [dw];
  };
  return record('filterMeans', [w], y, backward);
}

/** Biased standard deviation of each filter, [...,C] -> [C], with its gradient. */
export function filterSpreads(w: Tensor): Tensor {
  const y = emptyTensor([w.channels]);
  const means = floats(w.channels);
  kernels().channelMoments(w.data, means, y.data, w.rows, w.channels);
  for (let c = 0; c < y.size; c++) y.data[c] = Math.sqrt(y.data[c]! + 1e-12);
  const backward = (dy: Float32Array) => {
    const dw = floats(w.size);
    for (let i = 0; i < dw.length; i++) {
      const c = i % w.channels;
      dw[i] = (dy[c]! * (w.data[i]! - means[c]!)) / (w.rows * y.data[c]!);
    }
    release(means);
    return [dw];
  };
  return record('filterSpreads', [w], y, backward);
}
