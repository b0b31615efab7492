import { kernels } from '../../backend/select.ts';
import { type ConvOptions, convGeometry, convOutputShape } from '../../core/conv-geometry.ts';
import { filterSignSums, planeConvolution, planeFilterGradient } from '../../exact/plane-conv.ts';
import { floats, release } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { PlaneTensor, SignFilter, Tensor } from '../tensor.ts';
import { preparedFilter } from './binary-conv.ts';
import { convProduct } from './conv.ts';

/**
 * Convolution of k-bit activations by signs, one XNOR convolution per bit-plane; equal to the float product up to its rounding.
 *
 * @param x [N,H,W,Cin], levels step*q
 * @param filter [KH,KW,Cin/groups,Cout] in {-alpha,+alpha}
 * @returns [N,OH,OW,Cout]
 * Source: Zhou 2016 (DoReFa), eq. 3.
 */
export function planeConv2d(x: PlaneTensor, filter: SignFilter, options: ConvOptions = {}): Tensor {
  const g = convGeometry('planeConv2d', x.shape, filter.shape, options);
  const y = emptyTensor(convOutputShape(g));
  const reach = g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups);
  const scale = floats(g.outChannels);
  for (let c = 0; c < scale.length; c++) scale[c] = filter.scale[c]! * x.step;
  const scratch = floats(x.planes.length > 1 ? y.size : 0);
  const prepared = preparedFilter(filter, g);
  planeConvolution(
    kernels(),
    x.planes,
    prepared,
    filterSignSums(filter.words, g.outChannels, reach),
    scale,
    g,
    scratch,
    y.data,
  );
  release(scratch);
  release(prepared);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => kernels().conv2dBackwardInputSigns(dy, filter.words, filter.scale, dx, g)),
    gradientOf(filter, (dw) => {
      const [sums, part] = [floats(g.outChannels), floats(x.planes.length > 1 ? dw.length : 0)];
      kernels().columnSums(dy, sums, y.rows, g.outChannels);
      planeFilterGradient(kernels(), x.planes, x.step, dy, sums, g, part, dw);
      for (const array of [sums, part]) release(array);
    }),
  ];
  return record('planeConv2d', [x, filter], y, backward, {
    attributes: { geometry: g, scale },
    product: convProduct(g, 1, x.planes.length),
  });
}
