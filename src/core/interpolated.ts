/**
 * A function on [0, end] as a table, read between its entries in straight lines: for functions too dear to call for every activation.
 * The error is f''/8 (end/steps)^2.
 */
export function interpolated(f: (x: number) => number, end: number, steps = 2048): (x: number) => number {
  const values = Float64Array.from({ length: steps + 2 }, (_, i) => f((i * end) / steps));
  const perUnit = steps / end;
  return (x) => {
    const place = x * perUnit;
    const i = Math.trunc(place);
    const value = values[i]!;
    return value + (place - i) * (values[i + 1]! - value);
  };
}
