import { wordsPerRow } from '../core/bits.ts';
import type { PoolGeometry } from '../core/conv-geometry.ts';

/** One bit per channel, set where `flags` is not 0. */
export function channelMask(flags: Int32Array): Uint32Array {
  const mask = new Uint32Array(wordsPerRow(flags.length));
  flags.forEach((flag, c) => {
    if (flag !== 0) mask[c >>> 5]! |= 1 << (c & 31);
  });
  return mask;
}

/**
 * sign(f(max over the window)) from the signs of f at its pixels: f rising makes it -1 where all are, f falling (bit of `falling`
 * set) where any is. Pixels outside the image do not count.
 *
 * @param x [N,H,W,words(C)]
 * @param y [N,OH,OW,words(C)]
 */
export function poolSigns(x: Uint32Array, falling: Uint32Array, y: Uint32Array, g: PoolGeometry): void {
  const words = falling.length;
  let out = 0;
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++) {
        const [top, left] = [oy * g.stride - g.pad, ox * g.stride - g.pad];
        const [bottom, right] = [Math.min(g.height, top + g.window), Math.min(g.width, left + g.window)];
        for (let w = 0; w < words; w++) {
          let all = -1;
          let any = 0;
          for (let iy = Math.max(0, top); iy < bottom; iy++)
            for (let ix = Math.max(0, left); ix < right; ix++) {
              const word = x[((n * g.height + iy) * g.width + ix) * words + w]!;
              all &= word;
              any |= word;
            }
          y[out++] = (all & ~falling[w]!) | (any & falling[w]!);
        }
      }
}
