import type { UnaryOp } from '../../backend/kernels.ts';
import { kernels } from '../../backend/select.ts';
import { floats } from '../storage.ts';
import { emptyTensor, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

function unary(op: UnaryOp, x: Tensor): Tensor {
  const y = emptyTensor(x.shape);
  kernels().unary(op, x.data, y.data);
  const backward = (dy: Float32Array) => {
    kernels().unaryBackward(op, x.data, dy, dy, 0, 0);
    return [dy];
  };
  return record(op, [x], y, backward);
}

/** max(x, 0) */
export const relu = (x: Tensor): Tensor => unary('relu', x);
/** x clamped to [-1,1] (survey eq. 3's companion activation). */
export const hardtanh = (x: Tensor): Tensor => unary('hardtanh', x);
/** 1/(1+e^-x) */
export const sigmoid = (x: Tensor): Tensor => unary('sigmoid', x);
/** The hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unary('tanh', x);
/** x/(1+|x|) */
export const softsign = (x: Tensor): Tensor => unary('softsign', x);

/**
 * x where x >= 0, else slope[c]*x.
 *
 * @param x [...,C]
 * @param slope [C], learned (He et al. 2015)
 */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  const { rows, channels } = x;
  const y = emptyTensor(x.shape);
  kernels().prelu(x.data, slope.data, y.data, rows, channels);
  const backward = (dy: Float32Array) => {
    const dslope = floats(channels);
    kernels().preluBackward(x.data, slope.data, dy, dy, dslope, rows, channels);
    return [dy, dslope];
  };
  return record('prelu', [x, slope], y, backward);
}

/**
 * 2^round(x), for which rounding passes the gradient: ln 2 times itself.
 *
 * Source: Ma 2024 (A&B BNN), eq. 8-9.
 */
export function roundedPower(x: Tensor): Tensor {
  const y = emptyTensor(x.shape);
  for (let i = 0; i < y.size; i++) y.data[i] = 2 ** Math.round(x.data[i]!);
  const backward = (dy: Float32Array) => {
    for (let i = 0; i < dy.length; i++) dy[i]! *= Math.LN2 * y.data[i]!;
    return [dy];
  };
  return record('roundedPower', [x], y, backward);
}
