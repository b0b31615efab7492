import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats, release } from '../storage.ts';
import { emptyTensor, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { scale } from './arithmetic.ts';
import { meanSquaredError } from './distillation.ts';

/**
 * Where a layer looks: the sum over channels of a^2 at every pixel, each image's map divided by its norm.
 *
 * @param x [N,H,W,C]
 * @returns [N,H*W]
 * Source: Zagoruyko and Komodakis 2017, eq. 1-2; Martinez 2020 (Real-to-Binary), eq. 2.
 */
export function attentionMap(x: Tensor): Tensor {
  const samples = x.shape[0]!;
  const pixels = x.rows / samples;
  const y = emptyTensor([samples, pixels]);
  const norms = floats(samples);
  kernels().rowDots(x.data, x.data, y.data, x.rows, x.channels);
  kernels().rowDots(y.data, y.data, norms, samples, pixels);
  for (let n = 0; n < samples; n++) norms[n] = 1 / Math.sqrt(norms[n]! + 1e-12);
  kernels().rowScale(y.data, norms, y.data, samples, pixels);
  const backward = (dy: Float32Array) => {
    // through the norm: (dy - y (dy.y))/norm, then 2a at every channel
    const along = floats(samples);
    kernels().rowDots(dy, y.data, along, samples, pixels);
    const perPixel = floats(dy.length);
    for (let n = 0; n < samples; n++)
      for (let i = n * pixels; i < (n + 1) * pixels; i++)
        perPixel[i] = 2 * norms[n]! * (dy[i]! - y.data[i]! * along[n]!);
    const dx = floats(x.size);
    kernels().rowScale(x.data, perPixel, dx, x.rows, x.channels);
    for (const array of [along, perPixel]) release(array);
    return [dx];
  };
  return record('attentionMap', [x], y, backward, { saved: [norms] });
}

/**
 * Mean over images of ||Q_student - Q_teacher||^2, Q of `attentionMap`.
 *
 * @param student [N,H,W,C]
 * @param teacher a map [N,H*W]
 * @throws ShapeError when the teacher looks at other pixels
 * Source: Martinez 2020 (Real-to-Binary), eq. 3.
 */
export function attentionDistance(student: Tensor, teacher: Tensor): Tensor {
  const map = attentionMap(student);
  if (map.size !== teacher.size)
    throw new ShapeError(
      `attentionDistance: the student's map is ${formatShape(map.shape)}, the teacher's ${formatShape(teacher.shape)}; use a teacher of the same topology`,
    );
  return scale(meanSquaredError(map, teacher), map.channels);
}
