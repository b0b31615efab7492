import { type InterruptError, SignumError, UsageError } from '../core/errors.ts';
import { signalStatus } from '../core/interrupt.ts';
import { printable, printableText } from '../core/printable.ts';

/** Writes to the standard output. Whatever a file, a tar or a model calls itself, the terminal only shows it. */
export function print(text: string): void {
  process.stdout.write(printableText(text));
}

/** The same to the standard error: what is going on, and what went wrong. */
export function tell(text: string): void {
  process.stderr.write(printableText(text));
}

/** A whole line, also where a progress bar stands. */
export function tellLine(line: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  tell(`${line}\n`);
}

/** Aligned columns; the first is left-aligned, numbers right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell)));
  const titles = head.map((title) => printable(title));
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((row) => (row[i] ?? '').length)));
  const numeric = titles.map(
    (_, i) => i > 0 && cells.every((row) => /^[-\d.,x%/ ]*( ?(kB|MB|ms|us|M|G|k))?$/.test(row[i] ?? '')),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(titles), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)].join('\n');
}

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

export function bytes(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(2)} MB` : `${(count / 1e3).toFixed(1)} kB`;
}

/** 1234567 -> `1.23 M` */
export function quantity(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  return count >= 1e4 ? `${(count / 1e3).toFixed(1)} k` : String(Math.round(count));
}

/** Prints an error as the user should see it and returns the exit code: 2 for wrong use, 1 for everything else. */
export function reportError(error: unknown, debug: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  tell(`error: ${message}\n`);
  if (debug && error instanceof Error) tell(`${error.stack}\n`);
  else if (!(error instanceof SignumError)) tell('(unexpected; --debug shows where)\n');
  return error instanceof UsageError ? 2 : 1;
}

/** Says that a command was stopped, to machines as `"finished": false`; returns the exit code. */
export function reportInterrupt({ message, signal, result }: InterruptError, json: boolean): number {
  tell(`${message}\n`);
  if (json && result) print(`${JSON.stringify(result)}\n`);
  return signalStatus[signal];
}
