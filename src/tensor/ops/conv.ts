import { kernels } from '../../backend/select.ts';
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  convOutputShape,
  filterSize,
} from '../../core/conv-geometry.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { emptyTensor, gradientOf, type Product, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** What a convolution multiplies. */
export const convProduct = (g: ConvGeometry, weightBits: number, inputBits: number): Product => ({
  macs: filterSize(g) * g.outHeight * g.outWidth,
  weightBits,
  inputBits,
});

/**
 * Float convolution, grouped and depthwise included.
 *
 * @param x [N,H,W,Cin]
 * @param filter [KH,KW,Cin/groups,Cout]
 * @returns [N,OH,OW,Cout]
 * @throws ShapeError when channels, groups or sizes do not fit
 */
export function conv2d(x: Tensor, filter: Tensor, options: ConvOptions = {}): Tensor {
  const g = convGeometry('conv2d', x.shape, filter.shape, options);
  const y = emptyTensor(convOutputShape(g));
  kernels().conv2d(x.data, filter.data, y.data, g);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => kernels().conv2dBackwardInput(dy, filter.data, dx, g)),
    gradientOf(filter, (dw) => kernels().conv2dBackwardFilter(x.data, dy, dw, g)),
  ];
  return record('conv2d', [x, filter], y, backward, { attributes: { geometry: g }, product: convProduct(g, 32, 32) });
}

/**
 * y = x w (+ bias).
 *
 * @param x [N,K]
 * @param w [K,M]
 * @param bias [M]
 * @returns [N,M]
 */
export function dense(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const [n, k] = [x.rows, x.channels];
  const [inputs, m] = [w.shape[0] ?? 0, w.shape[1] ?? 0];
  if (x.shape.length !== 2 || w.shape.length !== 2 || k !== inputs) {
    throw new ShapeError(
      `dense: input ${formatShape(x.shape)} does not fit the weights ${formatShape(w.shape)}; it must be [N,${inputs}] (flatten images first)`,
    );
  }
  const y = emptyTensor([n, m]);
  if (bias) for (let row = 0; row < n; row++) y.data.set(bias.data, row * m);
  kernels().sgemm(false, false, n, m, k, x.data, w.data, bias !== undefined, y.data);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => kernels().sgemm(false, true, n, k, m, dy, w.data, false, dx)),
    gradientOf(w, (dw) => kernels().sgemm(true, false, k, m, n, x.data, dy, false, dw)),
    gradientOf(bias, (db) => kernels().columnSums(dy, db, n, m)),
  ];
  const product = { macs: w.size, weightBits: 32, inputBits: 32 };
  return record('dense', bias ? [x, w, bias] : [x, w], y, backward, { product });
}
