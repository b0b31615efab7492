import type { ActivationBits, ActivationSum, FilterSum, WeightBits } from '../binarize/terms.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { type BinaryConvOptions, binaryConv2d } from '../tensor/ops/binary-conv.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { planeConv2d } from '../tensor/ops/plane-conv.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { signConv2d } from '../tensor/ops/sign-conv.ts';
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

/**
 * The convolution of a quantized activation by quantized weights; of sums, term by term: one XNOR convolution for each pair.
 *
 * @param x [N,H,W,Cin]
 * @param w [KH,KW,Cin/groups,Cout]
 * @returns [N,OH,OW,Cout]
 * Source: Lin 2017 (ABC-Net), eq. 12; Li 2017 (HORQ), eq. 10.
 */
export function binaryProduct(x: ActivationBits, w: WeightBits, options: BinaryConvOptions): Tensor {
  const filters = isFilterSum(w) ? w.filters : [w];
  const terms: readonly { bits: Tensor; scale?: Tensor }[] = isActivationSum(x) ? x.terms : [{ bits: x }];
  const parts = terms.map(({ bits, scale }) => {
    const product = filters.map((filter) => simpleProduct(bits, filter, options)).reduce(add);
    return scale ? sampleScale(product, scale) : product;
  });
  return parts.reduce(add);
}

/** The float weights that a quantized filter stands for. */
export function effectiveWeights(w: WeightBits): Float32Array {
  if (!isFilterSum(w)) return w.data;
  const total = new Float32Array(w.filters[0]!.size);
  for (const { data } of w.filters) for (let i = 0; i < total.length; i++) total[i]! += data[i]!;
  return total;
}
