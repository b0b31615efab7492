/**
 * The n-th smallest of the values, n from 0; reorders them so that none before place n is larger and none behind it smaller.
 *
 * Source: Hoare 1961 (Find), the pivot a median of three.
 */
export function nthSmallest(values: Float32Array, n: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const [a, b, c] = [values[low]!, values[(low + high) >> 1]!, values[high]!];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (n <= j) high = j;
    else if (n >= i) low = i;
    else break;
  }
  return values[n]!;
}

/**
 * The value below which a share of all values lies, between two of them in a straight line; reorders the values.
 *
 * @param share in [0,1]
 */
export function quantile(values: Float32Array, share: number): number {
  const position = share * (values.length - 1);
  const n = Math.floor(position);
  const below = nthSmallest(values, n);
  if (position === n) return below;
  let above = Number.POSITIVE_INFINITY;
  for (let i = n + 1; i < values.length; i++) above = Math.min(above, values[i]!);
  return below + (position - n) * (above - below);
}
