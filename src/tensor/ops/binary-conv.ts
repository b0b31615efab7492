import type { BinaryPadding } from '../../backend/kernels.ts';
import { kernels } from '../../backend/select.ts';
import { type ConvGeometry, type ConvOptions, convGeometry, convOutputShape } from '../../core/conv-geometry.ts';
import { release, words } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { SignFilter, SignTensor, Tensor } from '../tensor.ts';
import { convProduct } from './conv.ts';

const noAffine = new Float32Array(0);

/** The filter in this backend's layout, on pooled storage; release it after the product. */
export function preparedFilter(filter: SignFilter, g: ConvGeometry): Uint32Array {
  const prepared = words(kernels().preparedFilterWords(g));
  kernels().prepareXnorFilter(filter.words, prepared, g);
  return prepared;
}

/** Geometry of a binary convolution, and what stands outside the image. */
export interface BinaryConvOptions extends ConvOptions {
  /** Border taps: `zero` do not count (as papers train), `one` count as +1 (fastest). Default zero. */
  readonly padding?: BinaryPadding;
}

/**
 * Convolution of signs by signs with XNOR and population count, times the filter's scale per output channel. Keeps only
 * packed bits for the backward pass.
 *
 * @param x [N,H,W,Cin] in {-1,+1}
 * @param filter [KH,KW,Cin/groups,Cout] in {-alpha,+alpha}
 * @returns [N,OH,OW,Cout]
 * Source: Rastegari 2016, eq. 11 without K; survey sec. 3.1.
 */
export function binaryConv2d(x: SignTensor, filter: SignFilter, options: BinaryConvOptions = {}): Tensor {
  const g = convGeometry('binaryConv2d', x.shape, filter.shape, options);
  const padding = options.padding ?? 'zero';
  const y = emptyTensor(convOutputShape(g));
  const prepared = preparedFilter(filter, g);
  kernels().xnorConv2dScaled(x.words, prepared, filter.scale, noAffine, noAffine, y.data, g, padding);
  release(prepared);
  const backward = (dy: Float32Array) => {
    // in this order: the filter's gradient reads dy forwards, the input's backwards, from what is still in the cache
    const dw = gradientOf(filter, (values) => kernels().conv2dBackwardFilterSigns(x.words, dy, values, g, padding));
    const dx = gradientOf(x, (values) => kernels().conv2dBackwardInputSigns(dy, filter.words, filter.scale, values, g));
    return [dx, dw];
  };
  return record('binaryConv2d', [x, filter], y, backward, {
    attributes: { geometry: g, padding },
    product: convProduct(g, 1, 1),
  });
}
