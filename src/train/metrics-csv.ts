/** Columns of metrics.csv, in order, what other tasks call their figures before the last two; what layers measured stays in metrics.jsonl. */
const usual = [
  'epoch',
  'stage',
  'step',
  'rate',
  'trainLoss',
  'trainAccuracy',
  'testLoss',
  'testAccuracy',
  'testTop5',
  'validationLoss',
  'validationAccuracy',
];
const last = ['imagesPerSecond', 'seconds'];

/** Names may hold what separates columns. */
const cell = (value: unknown): string =>
  typeof value === 'string' && /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value ?? '');

/** A run's log as a table for spreadsheets: a line per epoch, counted from 0, under one of names; columns without a value are left out. */
export function metricsCsv(metrics: readonly object[]): string {
  const rows = metrics.map((line) => new Map<string, unknown>(Object.entries(line)));
  const numbers = rows.flatMap((row) => [...row].flatMap(([name, value]) => (typeof value === 'number' ? [name] : [])));
  const others = [...new Set(numbers)].filter((name) => ![...usual, ...last].includes(name));
  const used = [...usual, ...others, ...last].filter((column) => rows.some((row) => row.get(column) !== undefined));
  const lines = rows.map((row) => used.map((column) => cell(row.get(column))).join(','));
  return [used.join(','), ...lines].map((line) => `${line}\n`).join('');
}
