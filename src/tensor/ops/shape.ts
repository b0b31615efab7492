import { kernels } from '../../backend/select.ts';
import { channelCopy, reversed, subsampleCopy } from '../../core/block-copy.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../core/shape.ts';
import { floats } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import { Tensor } from '../tensor.ts';

/** The same values under another shape; shares storage. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== x.size)
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} values, ${formatShape(shape)} ${sizeOf(shape)}`,
    );
  return record('reshape', [x], new Tensor(x.data, shape), (dy) => [dy], { view: true });
}

/** [N,...] -> [N, all the rest] */
export const flatten = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);

/** Joins along channels: [...,A] and [...,B] -> [...,A+B]. */
export function concat(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (!first) throw new ShapeError('concat: needs at least one tensor');
  for (const part of parts) {
    if (part.rows !== first.rows || part.shape.length !== first.shape.length) {
      throw new ShapeError(
        `concat: ${formatShape(part.shape)} and ${formatShape(first.shape)} differ in more than channels`,
      );
    }
  }
  const channels = parts.reduce((total, part) => total + part.channels, 0);
  const y = emptyTensor([...first.shape.slice(0, -1), channels]);
  let begin = 0;
  const copies = parts.map(({ rows, channels: own }) => {
    const copy = channelCopy(rows, own, { begin: 0, channels: own }, { begin, channels });
    begin += own;
    return copy;
  });
  for (const [i, copy] of copies.entries()) kernels().copyBlocks(parts[i]!.data, y.data, copy);
  const backward = (dy: Float32Array) =>
    copies.map((copy, i) => {
      const gradient = floats(parts[i]!.size);
      kernels().copyBlocks(dy, gradient, reversed(copy));
      return gradient;
    });
  return record('concat', parts, y, backward);
}

/** Channels [begin, end) of every pixel. */
export function sliceChannels(x: Tensor, begin: number, end: number): Tensor {
  const { channels, rows } = x;
  if (!(begin >= 0 && begin < end && end <= channels)) {
    throw new ShapeError(
      `sliceChannels: [${begin},${end}) is not inside the ${channels} channels of ${formatShape(x.shape)}`,
    );
  }
  const kept = end - begin;
  const y = emptyTensor([...x.shape.slice(0, -1), kept]);
  const copy = channelCopy(rows, kept, { begin, channels }, { begin: 0, channels: kept });
  kernels().copyBlocks(x.data, y.data, copy);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size).fill(0);
    kernels().copyBlocks(dy, dx, reversed(copy));
    return [dx];
  };
  return record('sliceChannels', [x], y, backward, { attributes: { begin, end } });
}

/**
 * Every `stride`-th pixel, with zero channels added evenly on both sides: ResNet's parameter-free shortcut (He et al. 2016,
 * option A). [N,H,W,C] -> [N,ceil(H/stride),ceil(W/stride),channels]
 */
export function subsamplePad(x: Tensor, stride: number, channels: number): Tensor {
  const [n, height, width, from] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || channels < from) {
    throw new ShapeError(`subsamplePad: cannot pad ${formatShape(x.shape)} to ${channels} channels`);
  }
  const y = emptyTensor([n, Math.ceil(height / stride), Math.ceil(width / stride), channels]);
  const copy = subsampleCopy(x.shape, stride, channels);
  kernels().copyBlocks(x.data, y.data.fill(0), copy);
  const backward = (dy: Float32Array) => [gradientOf(x, (dx) => kernels().copyBlocks(dy, dx.fill(0), reversed(copy)))];
  return record('subsamplePad', [x], y, backward, { attributes: { stride, channels } });
}
