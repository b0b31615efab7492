import { printableText } from './printable.ts';

const said = new Set<string>();

/** A line for whoever runs the program, on the standard error or a page's console; the same one only once. */
export function sayOnce(line: string): void {
  if (said.has(line)) return;
  said.add(line);
  console.warn(printableText(line));
}
