/**
 * The coefficients c that minimise ||target - sum_i c_i columns_i||, by the normal equations; columns that depend on others get 0.
 *
 * @param columns k arrays of the target's length
 */
export function leastSquares(columns: readonly ArrayLike<number>[], target: ArrayLike<number>): Float64Array {
  const k = columns.length;
  const matrix = columns.map((a) => Float64Array.from([...columns.map((b) => dot(a, b)), dot(a, target)]));
  const pivots = new Int32Array(k).fill(-1);
  for (let c = 0, row = 0; c < k && row < k; c++) {
    let best = row;
    for (let r = row; r < k; r++) if (Math.abs(matrix[r]![c]!) > Math.abs(matrix[best]![c]!)) best = r;
    if (Math.abs(matrix[best]![c]!) < 1e-9 * target.length) continue;
    [matrix[row], matrix[best]] = [matrix[best]!, matrix[row]!];
    for (let r = 0; r < k; r++) {
      if (r === row) continue;
      const factor = matrix[r]![c]! / matrix[row]![c]!;
      for (let j = c; j <= k; j++) matrix[r]![j]! -= factor * matrix[row]![j]!;
    }
    pivots[c] = row++;
  }
  return Float64Array.from({ length: k }, (_, c) =>
    pivots[c]! < 0 ? 0 : matrix[pivots[c]!]![k]! / matrix[pivots[c]!]![c]!,
  );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
