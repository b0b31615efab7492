import type { Size } from '../nn/binary-layer.ts';

/** A window that moves over maps: a convolution or a pooling. */
interface Window {
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
}

const along = (side: number, { kernel, stride = 1, pad = 0 }: Window): number =>
  Math.floor((side + 2 * pad - kernel) / stride) + 1;

/** Size of what a window makes of maps. */
export const after = ([height, width]: Size, window: Window): Size => [along(height, window), along(width, window)];

/** The same after max-pooling, where there is any. */
export const pooledSize = (
  size: Size,
  pool: { readonly window: number; readonly stride?: number; readonly pad?: number } | undefined,
): Size => (pool ? after(size, { ...pool, kernel: pool.window, stride: pool.stride ?? pool.window }) : size);
