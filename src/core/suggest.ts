import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "ir-net"?` when a known name is near, else nothing. */
export function suggestion(given: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(given, known as string[]);
  return distance(given, nearest) <= Math.max(2, nearest.length / 3) ? `; did you mean "${nearest}"?` : '';
}
