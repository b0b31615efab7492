import { kernels } from '../backend/select.ts';
import { repeatRow } from '../core/repeat-row.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Mean of each filter, [...,C] -> [C], with its gradient. */
export function filterMeans(w: Tensor): Tensor {
  const y = emptyTensor([w.channels]);
  kernels().columnSums(w.data, y.data, w.rows, w.channels);
  for (let c = 0; c < y.size; c++) y.data[c]! /= w.rows;
  const backward = (dy: Float32Array) => {
    for (let c = 0; c < dy.length; c++) dy[c]! /= w.rows;
    return [repeatRow(dy, floats(w.size))];
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
    const [slope, shift, dw] = [floats(w.channels), floats(w.channels), floats(w.size)];
    for (let c = 0; c < slope.length; c++) {
      slope[c] = dy[c]! / (w.rows * y.data[c]!);
      shift[c] = -means[c]! * slope[c]!;
    }
    affineColumns(kernels(), w.data, slope, shift, dw, w.rows);
    for (const array of [slope, shift, means]) release(array);
    return [dw];
  };
  return record('filterSpreads', [w], y, backward);
}
