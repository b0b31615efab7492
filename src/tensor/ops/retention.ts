import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats, release } from '../storage.ts';
import { emptyTensor, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { avgPool } from './pooling.ts';

/** Means of x over as many windows as `like` has pixels. */
function pooledLike(x: Tensor, like: Tensor): Tensor {
  const [side, target] = [x.shape[1]!, like.shape[1]!];
  if (side <= target) return x;
  const stride = Math.floor(side / target);
  return avgPool(x, { window: side - (target - 1) * stride, stride });
}

/**
 * How much a layer stretches each image: with R = A'B/pixels [C,D] the retention matrix of what enters (A, averaged to B's size) and what
 * comes out (B), the root of |R R' 1|, one step of the power iteration for its spectral norm.
 *
 * @param entering [N,H,W,C]
 * @param leaving [N,OH,OW,D]
 * @returns [N]
 * @throws ShapeError when the images have other sides than a pooling makes alike
 * Source: Shang 2022 (LCR-BNN), eq. 8-11.
 */
export function retentionNorm(entering: Tensor, leaving: Tensor): Tensor {
  const a = pooledLike(entering, leaving);
  const [n, height = 1, width = 1, c = 1] = a.shape;
  const d = leaving.channels;
  const pixels = height * width;
  if (leaving.rows !== a.rows || n !== leaving.shape[0])
    throw new ShapeError(
      `retentionNorm: ${formatShape(entering.shape)} and ${formatShape(leaving.shape)} are not what enters and leaves one layer`,
    );
  const share = 1 / pixels;
  const { sgemm } = kernels();
  const ones = floats(c).fill(1);
  // u = A 1, t = B'u/pixels = R'1, q = B t, m = A'q/pixels = R R'1, for each image
  const [u, t, q, m] = [floats(n! * pixels), floats(n! * d), floats(n! * pixels), floats(n! * c)];
  const part = (array: Float32Array, size: number, i: number) => array.subarray(i * size, (i + 1) * size);
  const y = emptyTensor([n!]);
  for (let i = 0; i < n!; i++) {
    const [ai, bi] = [part(a.data, pixels * c, i), part(leaving.data, pixels * d, i)];
    sgemm(false, false, pixels, 1, c, ai, ones, false, part(u, pixels, i));
    sgemm(true, false, d, 1, pixels, bi, part(u, pixels, i), false, part(t, d, i));
    kernels().blend(part(t, d, i), 0, share, part(t, d, i));
    sgemm(false, false, pixels, 1, d, bi, part(t, d, i), false, part(q, pixels, i));
    sgemm(true, false, c, 1, pixels, ai, part(q, pixels, i), false, part(m, c, i));
    kernels().blend(part(m, c, i), 0, share, part(m, c, i));
    let squares = 0;
    for (const value of part(m, c, i)) squares += value * value;
    y.data[i] = squares ** 0.25;
  }
  const backward = (dy: Float32Array) => {
    const [da, db] = [floats(a.size), floats(leaving.size)];
    const [dm, dq, dt, du] = [floats(c), floats(pixels), floats(d), floats(pixels)];
    for (let i = 0; i < n!; i++) {
      const [ai, bi] = [part(a.data, pixels * c, i), part(leaving.data, pixels * d, i)];
      const [dai, dbi] = [part(da, pixels * c, i), part(db, pixels * d, i)];
      // y = |m|^(1/2)
      const norm = Math.max(y.data[i]! ** 2, 1e-12);
      const along = (share * dy[i]!) / (2 * Math.sqrt(norm) * norm);
      kernels().blend(part(m, c, i), along, 0, dm.fill(0));
      sgemm(false, false, pixels, c, 1, part(q, pixels, i), dm, false, dai);
      sgemm(false, false, pixels, 1, c, ai, dm, false, dq);
      sgemm(false, false, pixels, d, 1, dq, part(t, d, i), false, dbi);
      sgemm(true, false, d, 1, pixels, bi, dq, false, dt);
      kernels().blend(dt, 0, share, dt);
      sgemm(false, false, pixels, d, 1, part(u, pixels, i), dt, true, dbi);
      sgemm(false, false, pixels, 1, d, bi, dt, false, du);
      sgemm(false, false, pixels, c, 1, du, ones, true, dai);
    }
    for (const array of [dm, dq, dt, du]) release(array);
    return [da, db];
  };
  return record('retentionNorm', [a, leaving], y, backward, { saved: [ones, u, t, q, m] });
}
