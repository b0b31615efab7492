import { ShapeError } from '../../core/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../core/shape.ts';
import { subsample, subsampleBackward } from '../../core/subsample.ts';
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
export const flatten = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, x.size / x.shape[0]!]);

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
  const eachRow = (visit: (part: number, row: number, from: number) => void) => {
    let offset = 0;
    for (const [i, part] of parts.entries()) {
      for (let row = 0; row < part.rows; row++) visit(i, row, row * channels + offset);
      offset += part.channels;
    }
  };
  eachRow((i, row, at) => {
    const c = parts[i]!.channels;
    y.data.set(parts[i]!.data.subarray(row * c, (row + 1) * c), at);
  });
  const backward = (dy: Float32Array) => {
    const gradients = parts.map((part) => floats(part.size));
    eachRow((i, row, at) => {
      const c = parts[i]!.channels;
      gradients[i]!.set(dy.subarray(at, at + c), row * c);
    });
    return gradients;
  };
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
  for (let row = 0; row < rows; row++)
    y.data.set(x.data.subarray(row * channels + begin, row * channels + end), row * kept);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size).fill(0);
    for (let row = 0; row < rows; row++) dx.set(dy.subarray(row * kept, (row + 1) * kept), row * channels + begin);
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
  const g = { batch: n, height, width, from, stride, channels };
  subsample(x.data, y.data, g);
  const backward = (dy: Float32Array) => [gradientOf(x, (dx) => subsampleBackward(dy, dx, g))];
  return record('subsamplePad', [x], y, backward, { attributes: { stride, channels } });
}
