import { convGeometry } from '../core/conv-geometry.ts';
import type { Random } from '../core/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BinaryLayer } from './binary-layer.ts';

/**
 * What a layer's filters see under some of its output positions, zeros beyond the border: the layer as a matrix product.
 *
 * @param x [N,H,W,Cin]
 * @param positions of [N,OH,OW], flat
 * @returns [P, KH*KW*Cin], in the order of the filter's rows
 */
export function windowsOf({ options }: Pick<BinaryLayer, 'options'>, x: Tensor, positions: Int32Array): Float32Array {
  const { kernel, inChannels, outChannels } = options;
  const g = convGeometry('windows', x.shape, [kernel, kernel, inChannels, outChannels], options);
  const inputs = kernel * kernel * inChannels;
  const windows = new Float32Array(positions.length * inputs);
  for (const [row, position] of positions.entries()) {
    const image = Math.floor(position / (g.outHeight * g.outWidth));
    const oy = Math.floor(position / g.outWidth) % g.outHeight;
    const ox = position % g.outWidth;
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const iy = oy * g.stride - g.pad + ky * g.dilation;
        const ix = ox * g.stride - g.pad + kx * g.dilation;
        if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
        const from = ((image * g.height + iy) * g.width + ix) * inChannels;
        windows.set(x.data.subarray(from, from + inChannels), row * inputs + (ky * kernel + kx) * inChannels);
      }
  }
  return windows;
}

/** `count` output positions of a layer, drawn with replacement; all of them where there are fewer. */
export function samplePositions(
  { options }: Pick<BinaryLayer, 'options'>,
  x: Tensor,
  count: number,
  random: Random,
): Int32Array {
  const { kernel, inChannels, outChannels } = options;
  const { batch, outHeight, outWidth } = convGeometry(
    'windows',
    x.shape,
    [kernel, kernel, inChannels, outChannels],
    options,
  );
  const all = batch * outHeight * outWidth;
  if (all <= count) return Int32Array.from({ length: all }, (_, i) => i);
  return Int32Array.from({ length: count }, () => Math.min(all - 1, Math.floor(random.uniform(0, all))));
}
