import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { floats } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import { Tensor } from '../tensor.ts';

function requireSameShape(op: string, a: Tensor, b: Tensor): void {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(
      `${op}: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} differ; both sides must be equal`,
    );
  }
}

/** a + b, same shapes. */
export function add(a: Tensor, b: Tensor): Tensor {
  requireSameShape('add', a, b);
  const y = emptyTensor(a.shape);
  kernels().add(a.data, b.data, y.data);
  return record('add', [a, b], y, (dy) => [dy, dy]);
}

/** a * b element by element, same shapes. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  requireSameShape('multiply', a, b);
  const y = emptyTensor(a.shape);
  kernels().multiply(a.data, b.data, y.data);
  const backward = (dy: Float32Array) => {
    const [da, db] = [floats(a.size), floats(b.size)];
    kernels().multiply(dy, b.data, da);
    kernels().multiply(dy, a.data, db);
    return [da, db];
  };
  return record('multiply', [a, b], y, backward);
}

/** factor * x */
export function scale(x: Tensor, factor: number): Tensor {
  const y = emptyTensor(x.shape);
  kernels().blend(x.data, factor, 0, y.data.fill(0));
  const backward = (dy: Float32Array) => {
    kernels().blend(dy, 0, factor, dy);
    return [dy];
  };
  return record('scale', [x], y, backward, { attributes: { factor } });
}

/** Sum of all values, as a tensor of one. */
export function sum(x: Tensor): Tensor {
  const y = new Tensor(floats(1), [1]);
  kernels().columnSums(x.data, y.data, x.size, 1);
  return record('sum', [x], y, (dy) => [floats(x.size).fill(dy[0]!)]);
}

/** Mean of all values, as a tensor of one. */
export const mean = (x: Tensor): Tensor => scale(sum(x), 1 / x.size);

/**
 * mean over channels of |x|: [...,C] -> [...,1]. XNOR-Net's A (Rastegari 2016, sec. 3.2), a constant for the backward pass: the paper sends
 * gradients through the sign alone.
 */
export function channelAbsMean(x: Tensor): Tensor {
  const y = emptyTensor([...x.shape.slice(0, -1), 1]);
  kernels().rowAbsMeans(x.data, y.data, x.rows, x.channels);
  return record('channelAbsMean', [x], y, () => [null], { constant: true });
}

/**
 * y[...,c] = x[...,c] * factor[...]: one factor per pixel for all channels.
 *
 * @param x [...,C]
 * @param factor [...,1]
 */
export function pixelScale(x: Tensor, factor: Tensor): Tensor {
  if (factor.size !== x.rows) {
    throw new ShapeError(
      `pixelScale: ${formatShape(factor.shape)} does not give one factor per pixel of ${formatShape(x.shape)}`,
    );
  }
  const y = emptyTensor(x.shape);
  kernels().rowScale(x.data, factor.data, y.data, x.rows, x.channels);
  const backward = (dy: Float32Array) => {
    const df = gradientOf(factor, (values) => kernels().rowDots(dy, x.data, values, x.rows, x.channels));
    const dx = gradientOf(x, (values) => kernels().rowScale(dy, factor.data, values, x.rows, x.channels));
    return [dx, df];
  };
  return record('pixelScale', [x, factor], y, backward);
}
