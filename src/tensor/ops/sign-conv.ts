import { kernels } from '../../backend/select.ts';
import { type ConvOptions, convGeometry, convOutputShape } from '../../core/conv-geometry.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { SignFilter, Tensor } from '../tensor.ts';
import { convProduct } from './conv.ts';

/**
 * Convolution of floats by signs: additions and subtractions only, times the filter's scale per output channel.
 *
 * @param x [N,H,W,Cin]
 * @param filter [KH,KW,Cin/groups,Cout] in {-alpha,+alpha}
 * @returns [N,OH,OW,Cout]
 * Source: Rastegari 2016 (BWN), eq. 1; survey eq. 8.
 */
export function signConv2d(x: Tensor, filter: SignFilter, options: ConvOptions = {}): Tensor {
  const g = convGeometry('signConv2d', x.shape, filter.shape, options);
  const y = emptyTensor(convOutputShape(g));
  kernels().conv2dSigns(x.data, filter.words, filter.scale, y.data, g);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => kernels().conv2dBackwardInputSigns(dy, filter.words, filter.scale, dx, g)),
    gradientOf(filter, (dw) => kernels().conv2dBackwardFilter(x.data, dy, dw, g)),
  ];
  return record('signConv2d', [x, filter], y, backward, {
    attributes: { geometry: g },
    product: convProduct(g, 1, 32),
  });
}
