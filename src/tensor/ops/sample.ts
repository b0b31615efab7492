import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { subtractSigns } from '../../exact/sample-factors.ts';
import { gateChannels } from '../../exact/sample-norm.ts';
import { floats } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { total } from '../totals.ts';

function requireFactors(op: string, x: Tensor, factor: Tensor): void {
  if (factor.size === 1 || factor.size === x.shape[0]) return;
  throw new ShapeError(
    `${op}: ${formatShape(factor.shape)} gives neither one factor nor one per image of ${formatShape(x.shape)}`,
  );
}

/**
 * y[n,...] = x[n,...] * factor[n]: one factor for each image, or one for all.
 *
 * @param x [N,...]
 * @param factor [N] or [1]
 */
export function sampleScale(x: Tensor, factor: Tensor): Tensor {
  requireFactors('sampleScale', x, factor);
  const y = emptyTensor(x.shape);
  const samples = factor.size;
  // one factor packs to the op `scale`, which is a blend: the same bits, down to the sign of zero
  if (samples === 1) kernels().blend(x.data, factor.data[0]!, 0, y.data.fill(0));
  else kernels().rowScale(x.data, factor.data, y.data, samples, x.size / samples);
  const backward = (dy: Float32Array) => {
    const df = floats(samples);
    if (samples === 1) {
      // one long row would be one thread's work
      df[0] = total(x, dy, x.data);
      kernels().blend(dy, 0, factor.data[0]!, dy);
    } else {
      kernels().rowDots(dy, x.data, df, samples, x.size / samples);
      kernels().rowScale(dy, factor.data, dy, samples, x.size / samples);
    }
    return [dy, df];
  };
  return record('sampleScale', [x, factor], y, backward);
}

/** mean|x| of each image: [N,...] -> [N,1]. HORQ's beta (Li 2017, eq. 6). */
export function sampleAbsMean(x: Tensor): Tensor {
  const samples = x.shape[0]!;
  const perSample = x.size / samples;
  const y = emptyTensor([samples, 1]);
  kernels().rowAbsMeans(x.data, y.data, samples, perSample);
  const backward = (dy: Float32Array) => {
    const dx = floats(x.size);
    kernels().unary('clip-ste', x.data, dx);
    kernels().blend(dy, 0, 1 / perSample, dy);
    kernels().rowScale(dx, dy, dx, samples, perSample);
    return [dx];
  };
  return record('sampleAbsMean', [x], y, backward);
}

/**
 * R = x - beta sign(x), what one order of binarization leaves over; sign and beta are constants to its gradient.
 *
 * @param x [N,...]
 * @param beta [N]
 * Source: Li 2017 (HORQ), eq. 5.
 */
export function signResidual(x: Tensor, beta: Tensor): Tensor {
  requireFactors('signResidual', x, beta);
  const y = emptyTensor(x.shape);
  subtractSigns(x.data, beta.data, y.data, x.shape[0]!);
  return record('signResidual', [x, beta], y, (dy) => [dy, null]);
}

/**
 * y[n,...,c] = x[n,...,c] * gate[n,c]: one factor for each channel of each image.
 *
 * @param x [N,H,W,C]
 * @param gate [N,C]
 */
export function channelGate(x: Tensor, gate: Tensor): Tensor {
  const [samples, channels] = [x.shape[0]!, x.channels];
  if (gate.size !== samples * channels)
    throw new ShapeError(
      `channelGate: ${formatShape(gate.shape)} is not one factor per image and channel of ${formatShape(x.shape)}`,
    );
  const y = emptyTensor(x.shape);
  const perSample = x.size / samples;
  gateChannels(kernels(), x.data, gate.data, y.data, samples, channels);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => gateChannels(kernels(), dy, gate.data, dx, samples, channels)),
    gradientOf(gate, (dg) => {
      for (let n = 0; n < samples; n++) {
        const part = (array: Float32Array) => array.subarray(n * perSample, (n + 1) * perSample);
        const into = dg.subarray(n * channels, (n + 1) * channels);
        kernels().columnDots(part(dy), part(x.data), into, perSample / channels, channels);
      }
    }),
  ];
  return record('channelGate', [x, gate], y, backward);
}
