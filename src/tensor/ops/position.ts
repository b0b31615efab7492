import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { repeatRow } from '../../core/repeat-row.ts';
import { formatShape, sizeOf } from '../../core/shape.ts';
import { floats, release } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** [H] and [W] to [H,W,1]: every product of the two. */
export function outer(rows: Tensor, columns: Tensor): Tensor {
  const [h, w] = [rows.size, columns.size];
  const y = emptyTensor([h, w, 1]);
  kernels().sgemm(false, false, h, w, 1, rows.data, columns.data, false, y.data);
  const backward = (dy: Float32Array) => [
    gradientOf(rows, (dr) => kernels().sgemm(false, false, h, 1, w, dy, columns.data, false, dr)),
    gradientOf(columns, (dc) => kernels().sgemm(true, false, w, 1, h, dy, rows.data, false, dc)),
  ];
  return record('outer', [rows, columns], y, backward);
}

/**
 * y[n,h,w,c] = x[n,h,w,c] * map[h,w,c]: the same factors for every image.
 *
 * @param x [N,H,W,C]
 * @param map [H,W,C], or [H,W,1] for all channels alike
 * Source: Bulat and Tzimiropoulos 2019 (XNOR-Net++), eq. 3.
 */
export function positionScale(x: Tensor, map: Tensor): Tensor {
  const perImage = sizeOf(x.shape.slice(1));
  const shared = map.size * x.channels === perImage;
  if (!shared && map.size !== perImage)
    throw new ShapeError(
      `positionScale: ${formatShape(map.shape)} does not cover the positions of ${formatShape(x.shape)}`,
    );
  const y = emptyTensor(x.shape);
  const wide = shared ? spread(map.data, x.channels) : map.data;
  scalePositions(x.data, wide, y.data);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => scalePositions(dy, wide, dx)),
    gradientOf(map, (dm) => {
      // columns are the positions of one image
      const perPosition = shared ? floats(perImage) : dm;
      kernels().columnDots(dy, x.data, perPosition, x.shape[0]!, perImage);
      if (shared) for (let p = 0; p < dm.length; p++) dm[p] = sumOf(perPosition, p * x.channels, x.channels);
    }),
  ];
  return record('positionScale', [x, map], y, backward, { attributes: { map: wide } });
}

function spread(map: Float32Array, channels: number): Float32Array {
  const wide = floats(map.length * channels);
  for (let p = 0; p < map.length; p++) wide.fill(map[p]!, p * channels, (p + 1) * channels);
  return wide;
}

function sumOf(values: Float32Array, begin: number, count: number): number {
  let total = 0;
  for (let i = begin; i < begin + count; i++) total += values[i]!;
  return total;
}

/** y = x * map, image by image. */
export function scalePositions(x: Float32Array, map: Float32Array, y: Float32Array): void {
  for (let first = 0; first < y.length; first += map.length) {
    const part = (array: Float32Array) => array.subarray(first, first + map.length);
    kernels().multiply(part(x), map, part(y));
  }
}

/**
 * y[n,h,w,c] = x[n,h,w,c] + map[h,w,c]: the same summands for every image.
 *
 * @param x [N,H,W,C]
 * @param map [1,H,W,C]
 */
export function positionShift(x: Tensor, map: Tensor): Tensor {
  const perImage = sizeOf(x.shape.slice(1));
  if (map.size !== perImage)
    throw new ShapeError(
      `positionShift: ${formatShape(map.shape)} does not cover the positions of ${formatShape(x.shape)}`,
    );
  const y = emptyTensor(x.shape);
  for (let first = 0; first < y.size; first += perImage) {
    const part = (array: Float32Array) => array.subarray(first, first + perImage);
    kernels().add(part(x.data), map.data, part(y.data));
  }
  const backward = (dy: Float32Array) => [
    dy,
    gradientOf(map, (dm) => kernels().columnSums(dy, dm, x.shape[0]!, perImage)),
  ];
  return record('positionShift', [x, map], y, backward, { attributes: { map: map.data } });
}

/**
 * y[n,h,w,c] = x[n,h,w,c] + pixels[n,h,w] channels[c].
 *
 * @param x [N,H,W,C]
 * @param pixels [N,H,W,1]
 * @param channels [C]
 */
export function addOuter(x: Tensor, pixels: Tensor, channels: Tensor): Tensor {
  if (pixels.size !== x.rows || channels.size !== x.channels)
    throw new ShapeError(
      `addOuter: ${formatShape(pixels.shape)} and ${formatShape(channels.shape)} do not span ${formatShape(x.shape)}`,
    );
  const y = emptyTensor(x.shape);
  const spread = floats(x.size);
  const { rows } = x;
  kernels().rowScale(repeatRow(channels.data, spread), pixels.data, spread, rows, x.channels);
  kernels().add(x.data, spread, y.data);
  release(spread);
  const backward = (dy: Float32Array) => {
    const [dp, dc] = [floats(pixels.size), floats(channels.size)];
    kernels().sgemm(false, false, rows, 1, x.channels, dy, channels.data, false, dp);
    kernels().sgemm(false, false, 1, x.channels, rows, pixels.data, dy, false, dc);
    return [dy, dp, dc];
  };
  return record('addOuter', [x, pixels, channels], y, backward, { attributes: { channels: channels.data } });
}
