/** Columns of metrics.csv, in order; what layers measured stays in metrics.jsonl. */
const columns = [
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
  'imagesPerSecond',
  'seconds',
] as const;

/** One line of metrics.jsonl, as far as it is numbers. */
type Line = Readonly<Partial<Record<Exclude<(typeof columns)[number], 'stage'>, number> & { stage: string }>>;

/** Names may hold what separates columns. */
const cell = (value: number | string | undefined): string =>
  typeof value === 'string' && /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value ?? '');

/** A run's log as a table for spreadsheets: a line per epoch, counted from 0, under one of names; columns without a value are left out. */
export function metricsCsv(metrics: readonly Line[]): string {
  const used = columns.filter((column) => metrics.some((line) => line[column] !== undefined));
  const lines = metrics.map((line) => used.map((column) => cell(line[column])).join(','));
  return [used.join(','), ...lines].map((line) => `${line}\n`).join('');
}
