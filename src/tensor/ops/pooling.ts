import { kernels } from '../../backend/select.ts';
import { type PoolGeometry, poolGeometry } from '../../core/conv-geometry.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats, integers, release } from '../storage.ts';
import { emptyTensor, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Geometry of a pooling. */
export interface PoolOptions {
  readonly window: number;
  /** Default: the window. */
  readonly stride?: number;
  readonly pad?: number;
}

const outputShape = (g: PoolGeometry) => [g.batch, g.outHeight, g.outWidth, g.channels];

/** Largest value of each window: [N,H,W,C] -> [N,OH,OW,C]; padding never wins. */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  const g = poolGeometry('maxPool', x.shape, options.window, options.stride, options.pad);
  const y = emptyTensor(outputShape(g));
  const indices = integers(y.size);
  kernels().maxPool(x.data, y.data, indices, g);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size);
    kernels().maxPoolBackward(dy, indices, dx, g);
    return [dx];
  };
  return record('maxPool', [x], y, backward, { attributes: { geometry: g }, saved: [indices] });
}

/** Mean of each window, over the pixels inside the image: [N,H,W,C] -> [N,OH,OW,C]. */
export function avgPool(x: Tensor, options: PoolOptions): Tensor {
  const g = poolGeometry('avgPool', x.shape, options.window, options.stride, options.pad);
  const y = emptyTensor(outputShape(g));
  kernels().avgPool(x.data, y.data, g);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size);
    kernels().avgPoolBackward(dy, dx, g);
    return [dx];
  };
  return record('avgPool', [x], y, backward, { attributes: { geometry: g } });
}

/** Mean over the whole image: [N,H,W,C] -> [N,C]. */
export function globalAvgPool(x: Tensor): Tensor {
  const [n, height, width, channels] = x.shape;
  if (x.shape.length !== 4) throw new ShapeError(`globalAvgPool: input must be [N,H,W,C], got ${formatShape(x.shape)}`);
  const pixels = height! * width!;
  const y = emptyTensor([n!, channels!]);
  for (let i = 0; i < n!; i++) {
    const image = x.data.subarray(i * pixels * channels!, (i + 1) * pixels * channels!);
    kernels().columnSums(image, y.data.subarray(i * channels!, (i + 1) * channels!), pixels, channels!);
  }
  kernels().blend(y.data, 0, 1 / pixels, y.data);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size);
    const share = floats(dy.length).fill(0);
    kernels().blend(dy, 1 / pixels, 0, share);
    for (let i = 0; i < n!; i++) {
      const row = share.subarray(i * channels!, (i + 1) * channels!);
      // the first pixel, then doubled by copies within the image
      const image = dx.subarray(i * pixels * channels!, (i + 1) * pixels * channels!);
      image.set(row);
      for (let done = channels!; done < image.length; done *= 2) image.copyWithin(done, 0, done);
    }
    release(share);
    return [dx];
  };
  return record('globalAvgPool', [x], y, backward);
}
