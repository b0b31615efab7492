import { kernels } from '../backend/select.ts';
import { wordsFor } from '../core/bits.ts';
import { quantizeUnit, type Ties } from '../exact/unit-levels.ts';
import { floats, release, words } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { SignFilter, type Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { Estimator } from './estimators.ts';
import { estimated, joinedStart, learning, type Quantizer } from './quantizer.ts';
import { type Scale, scaleColumns } from './scales.ts';
import type { WeightBits } from './terms.ts';
import type { WeightTransform } from './transforms.ts';

/** Turns latent weights [KH,KW,Cin,Cout] into scaled signs, sums of such, or few levels (float). */
export type WeightQuantizer = Quantizer<WeightBits>;

/** How weights become signs: their scale, the slope that stands for the derivative of sign, and whether the scale passes gradients. */
export interface BinarizeWeightOptions {
  readonly scale: Scale;
  readonly estimator: Estimator;
  /**
   * How alpha = alpha(w) enters the gradient of w, given G = dL/d(alpha b):
   * `straight` G*slope, as if alpha were 1 · `detached` alpha*G*slope · `exact` adds sign(w)/n * sum(G sign w), the chain rule
   * through mean|w| of the filter · `exact-layer` the same through the mean of the layer · `published` G*(1/n + alpha*slope), as printed in Rastegari 2016, sec. 3.1.
   */
  readonly scaleGradient: 'straight' | 'detached' | 'exact' | 'exact-layer' | 'published';
}

/** The signs of a float filter [KH,KW,Cin,Cout], packed, with the factor of each output channel. */
export function signFilterOf(signSource: Tensor, alpha: Float32Array): SignFilter {
  const [kh, kw, inChannels, outChannels] = signSource.shape as [number, number, number, number];
  const packed = words(wordsFor(outChannels * kh * kw, inChannels));
  kernels().packFilterSigns(signSource.data, packed, kh * kw, inChannels, outChannels);
  return new SignFilter(packed, alpha, signSource.shape);
}

/** alpha_c * sign(w): the weight binarization of nearly every method. */
export function binarizeWeights(options: BinarizeWeightOptions): Quantizer<SignFilter> {
  return estimated((estimator) => scaledSigns({ ...options, estimator }), options.estimator);
}

function scaledSigns(options: BinarizeWeightOptions): Quantizer<SignFilter> {
  return (w, context) => {
    const alpha = options.scale(w);
    const filter = signFilterOf(w, alpha);
    const backward = (g: Float32Array) => [weightGradient(w, alpha, g, options, context)];
    return record('binarizeWeights', [w], filter, backward, { saved: [filter.words, alpha] });
  };
}

function weightGradient(
  w: Tensor,
  alpha: Float32Array,
  g: Float32Array,
  { estimator, scaleGradient }: BinarizeWeightOptions,
  context: BinarizeContext,
): Float32Array {
  const n = w.rows;
  const inPlace = scaleGradient === 'straight' || scaleGradient === 'detached';
  const dw = inPlace ? g : floats(w.size);
  if (estimator.slope) kernels().unaryBackward(estimator.slope, w.data, g, dw, ...estimator.parameters(context));
  else if (!inPlace) dw.set(g);
  if (scaleGradient === 'straight') return dw;
  scaleColumns(dw, alpha, dw, n);
  if (scaleGradient === 'published') kernels().blend(g, 1 / n, 1, dw);
  if (scaleGradient === 'exact' || scaleGradient === 'exact-layer') {
    const [signs, through] = [floats(w.size), floats(w.channels)];
    kernels().unary('clip-ste', w.data, signs);
    kernels().columnDots(g, signs, through, n, w.channels);
    if (scaleGradient === 'exact-layer') through.fill(through.reduce((a, b) => a + b, 0) / through.length);
    for (let c = 0; c < through.length; c++) through[c]! /= n;
    scaleColumns(signs, through, signs, n);
    kernels().add(dw, signs, dw);
    release(signs);
    release(through);
  }
  return dw;
}

/**
 * Draws +1 with probability hardsigmoid(w) = clip((w+1)/2, 0, 1), once per forward pass while training; at test time the
 * deterministic sign. The gradient of the binary weight is applied to w unchanged.
 *
 * Source: Courbariaux 2015 (BinaryConnect), sec. 2.2-2.3; survey eq. 6-7.
 */
export function stochasticWeights(scale: Scale): Quantizer<SignFilter> {
  return (w, context) => {
    const source = emptyTensor(w.shape);
    source.data.set(w.data);
    if (context.training) for (let i = 0; i < source.size; i++) source.data[i]! -= context.random.uniform(-1, 1);
    const filter = signFilterOf(source, scale(w));
    release(source.data);
    return record('binarizeWeights', [w], filter, (g) => [g], { saved: [filter.words, filter.scale] });
  };
}

/** Applies transforms, then the quantizer. */
export function compose<Out>(...steps: [...WeightTransform[], Quantizer<Out>]): Quantizer<Out> {
  const transforms = steps.slice(0, -1) as WeightTransform[];
  const quantizer = steps.at(-1)! as Quantizer<Out>;
  const composed = learning(joinedStart(steps), (w, context, own) =>
    quantizer(
      transforms.reduce((value, transform) => transform(value, context, own), w),
      context,
      own,
    ),
  );
  const { withEstimator } = quantizer;
  if (!withEstimator) return composed;
  return Object.assign(composed, { withEstimator: (other: Estimator) => compose(...transforms, withEstimator(other)) });
}

/**
 * k > 1 bits: 2 quantize_k(tanh w/(2 max|tanh w|) + 1/2) - 1; the rounding passes gradient 1, tanh and the maximum their own.
 *
 * Source: Zhou 2016 (DoReFa), eq. 9, and the authors' code, where the gradient goes through the maximum too.
 */
export function tanhLevels(bits: number, ties?: Ties): Quantizer<Tensor> {
  return (w) => {
    const squashed = floats(w.size);
    kernels().unary('tanh', w.data, squashed);
    const largest = squashed.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    const y = emptyTensor(w.shape);
    for (let i = 0; i < y.size; i++) y.data[i] = 2 * quantizeUnit(squashed[i]! / (2 * largest) + 0.5, bits, ties) - 1;
    const backward = (dy: Float32Array) => {
      const dSquashed = floats(w.size);
      const atMost = [...squashed.keys()].filter((i) => Math.abs(squashed[i]!) === largest);
      let along = 0;
      for (let i = 0; i < dy.length; i++) along += dy[i]! * squashed[i]!;
      for (let i = 0; i < dy.length; i++) dSquashed[i] = dy[i]! / largest;
      // equal maxima share, as in TensorFlow and PyTorch
      for (const i of atMost) dSquashed[i]! -= (Math.sign(squashed[i]!) * along) / (largest ** 2 * atMost.length);
      const dw = floats(w.size);
      kernels().unaryBackward('tanh', w.data, dSquashed, dw, 0, 0);
      release(dSquashed);
      return [dw];
    };
    return record('weightLevels', [w], y, backward, { attributes: { bits }, saved: [squashed] });
  };
}

/** Weights stay float. */
export const floatWeights: Quantizer<Tensor> = (w) => w;
