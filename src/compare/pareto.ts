/** One row in the plane of cost and accuracy. */
export interface Tradeoff {
  readonly label: string;
  readonly cost: number;
  readonly accuracy: number;
}

/** Those for which no other is at least as accurate at no more cost, cheapest first. */
export function paretoFront<T extends Tradeoff>(points: readonly T[]): T[] {
  const byCost = [...points].sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy);
  const front: T[] = [];
  for (const point of byCost) if (point.accuracy > (front.at(-1)?.accuracy ?? -1)) front.push(point);
  return front;
}
