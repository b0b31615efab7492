import { columnNorms } from '../core/column-norms.ts';

/** A parameter and its gradient; filters lie in columns, [rows,channels]; anything else is one column. */
interface Clipped {
  readonly data: Float32Array;
  readonly grad: Float32Array | null;
  readonly shape: readonly number[];
}

/**
 * Gradients whose norm is beyond `share` of their weights' norm are shortened to it, filter by filter, vectors as a whole.
 *
 * Source: Brock et al. 2021 (High-performance large-scale image recognition without normalization), eq. 3; least norms as in its code.
 */
export function clipAdaptively(parameters: readonly Clipped[], share: number): void {
  for (const { data, grad, shape } of parameters) {
    if (!grad) continue;
    const columns = shape.length > 1 ? shape.at(-1)! : 1;
    const [ofWeights, ofGradient] = [columnNorms(data, columns), columnNorms(grad, columns)];
    for (let c = 0; c < columns; c++) {
      const most = share * Math.max(ofWeights[c]!, 1e-3);
      if (ofGradient[c]! < most) continue;
      const factor = most / Math.max(ofGradient[c]!, 1e-6);
      for (let i = c; i < data.length; i += columns) grad[i]! *= factor;
    }
  }
}
