/** One row in the plane of cost and accuracy. */
export interface Tradeoff {
  readonly label: string;
  readonly cost: number;
  readonly accuracy: number;
}

/** Those for which no other is at least as good at no more cost, cheapest first. @param better of `accuracy`, which may be another figure */
export function paretoFront<T extends Tradeoff>(points: readonly T[], better: 'higher' | 'lower' = 'higher'): T[] {
  const gain = (of: T, than: T) => (better === 'higher' ? of.accuracy - than.accuracy : than.accuracy - of.accuracy);
  const byCost = [...points].sort((a, b) => a.cost - b.cost || gain(b, a));
  const front: T[] = [];
  for (const point of byCost) if (front.length === 0 || gain(point, front.at(-1)!) > 0) front.push(point);
  return front;
}
