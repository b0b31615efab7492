import type { ActivationBits, ActivationSum, FilterSum, WeightBits } from '../binarize/terms.ts';
import { wordsFor, wordsPerRow } from '../core/bits.ts';
import { sizeOf } from '../core/shape.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { type BinaryConvOptions, binaryConv2d } from '../tensor/ops/binary-conv.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { planeConv2d } from '../tensor/ops/plane-conv.ts';
import { addOuter, positionShift } from '../tensor/ops/position.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { reshape } from '../tensor/ops/shape.ts';
import { signConv2d } from '../tensor/ops/sign-conv.ts';
import { floats, words } from '../tensor/storage.ts';
import { PlaneTensor, SignFilter, SignTensor, type Tensor } from '../tensor/tensor.ts';

const isActivationSum = (x: ActivationBits): x is ActivationSum => 'terms' in x;
const isFilterSum = (w: WeightBits): w is FilterSum => 'filters' in w;

/** Signs by XNOR, k-bit activations by bit-planes, floats by signed additions. */
function signProduct(x: Tensor, filter: SignFilter, options: BinaryConvOptions): Tensor {
  if (x instanceof SignTensor) return binaryConv2d(x, filter, options);
  return x instanceof PlaneTensor ? planeConv2d(x, filter, options) : signConv2d(x, filter, options);
}

/** One activation by one filter, whatever they are made of. */
function simpleProduct(x: Tensor, filter: SignFilter | Tensor, options: BinaryConvOptions): Tensor {
  return filter instanceof SignFilter ? signProduct(x, filter, options) : conv2d(x, filter, options);
}

/** One image of +1 everywhere. */
function onesImage({ shape }: Tensor): SignTensor {
  const [, height = 1, width = 1, channels = 1] = shape;
  return new SignTensor(words(height * width * wordsPerRow(channels)).fill(0), [1, height, width, channels]);
}

/** One filter of +1 everywhere for each group: it sums what lies under its window. */
function onesFilters({ shape }: Tensor, groups: number): SignFilter {
  const [kh = 1, kw = 1, inChannels = 1] = shape;
  const bits = words(wordsFor(groups * kh * kw, inChannels)).fill(0);
  return new SignFilter(bits, floats(groups).fill(1), [kh, kw, inChannels, groups]);
}

/**
 * y + window sums times the offset of each filter.
 *
 * @param y [N,OH,OW,Cout]
 * @param windowSums [N,OH,OW,groups]
 * @param offset [Cout]
 */
function addOffset(y: Tensor, windowSums: Tensor, offset: Tensor, groups: number): Tensor {
  if (groups === 1) return addOuter(y, windowSums, offset);
  // one input a group: a 1x1 convolution is each filter's offset times its own group's sum
  return add(y, conv2d(windowSums, reshape(offset, [1, 1, 1, offset.size]), { groups }));
}

/** The terms of an activation by the filters of a weight; offsets apart. */
function termsProduct(x: ActivationSum, filters: readonly (SignFilter | Tensor)[], options: BinaryConvOptions): Tensor {
  const parts = x.terms.map(({ bits, scale }) => {
    const product = filters.map((filter) => simpleProduct(bits, filter, options)).reduce(add);
    return scale ? sampleScale(product, scale) : product;
  });
  const y = parts.reduce(add);
  if (!x.offset) return y;
  // offset * conv(1, w): the same for every image, and exact at the border, where taps outside do not count
  const ones = onesImage(x.terms[0]!.bits);
  const product = filters.map((filter) => simpleProduct(ones, filter, options)).reduce(add);
  return positionShift(y, sampleScale(product, x.offset));
}

/**
 * The convolution of a quantized activation by quantized weights; of sums, term by term: one XNOR convolution for each pair, and for
 * offsets one sum of the bits under each window, which all filters share.
 *
 * @param x [N,H,W,Cin]
 * @param w [KH,KW,Cin/groups,Cout]
 * @returns [N,OH,OW,Cout]
 * Source: Lin 2017 (ABC-Net), eq. 12; Li 2017 (HORQ), eq. 10; Tu 2022 (AdaBin), eq. 15.
 */
export function binaryProduct(x: ActivationBits, w: WeightBits, options: BinaryConvOptions): Tensor {
  if (!isActivationSum(x) && !isFilterSum(w)) return simpleProduct(x, w, options);
  const activation: ActivationSum = isActivationSum(x) ? x : { terms: [{ bits: x as SignTensor }] };
  const weights = isFilterSum(w) ? w.filters : [w];
  const y = termsProduct(activation, weights, options);
  if (!isFilterSum(w) || !w.offset) return y;
  const { groups = 1 } = options;
  const windowSums = termsProduct(activation, [onesFilters(w.filters[0]!, groups)], options);
  return addOffset(y, windowSums, w.offset, groups);
}

/** The float weights that a quantized filter stands for. */
export function effectiveWeights(w: WeightBits): Float32Array {
  if (!isFilterSum(w)) return w.data;
  const total = new Float32Array(w.filters[0]!.size);
  const { filters, offset } = w;
  for (const { data } of filters) for (let i = 0; i < total.length; i++) total[i]! += data[i]!;
  if (offset) for (let i = 0; i < total.length; i++) total[i]! += offset.data[i % offset.size]!;
  return total;
}

/** The float activations that quantized ones stand for; scales and offsets of the whole layer or of single images. */
export function effectiveActivations(x: ActivationBits): Float32Array {
  if (!isActivationSum(x)) return x.data;
  const total = new Float32Array(x.terms[0]!.bits.size).fill(x.offset?.data[0] ?? 0);
  for (const { bits, scale } of x.terms) {
    const image = sizeOf(bits.shape.slice(1));
    for (let i = 0; i < total.length; i++) {
      const factor = scale ? scale.data[scale.size === 1 ? 0 : Math.floor(i / image)]! : 1;
      total[i]! += factor * bits.data[i]!;
    }
  }
  return total;
}
