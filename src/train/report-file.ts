import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { FormatError } from '../core/errors.ts';
import { type DataSet, type Split, sampleOf } from '../data/dataset.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import { classification } from '../tasks/classification.ts';
import type { Result, Task } from '../tasks/task.ts';
import { drawingsSchema, picturesOf } from './drawings.ts';
import { type PackedFigures, type ReportedFigure, reportHtml } from './report.ts';
import type { RunFolder } from './run-folder.ts';

/** What a report shows that is not in the run's other files. */
const outcomeFile = 'evaluation.json';
const share = z.number().min(0).max(1);
const count = z.int().nonnegative();
const text = z.string().max(1000);
const classifierShape = {
  top1: share,
  top5: share,
  // JSON has no NaN
  loss: z.number().nullable(),
  confusion: z.array(z.array(count)),
};
const outcomeSchema = z.object({
  command: z.string(),
  originalPixels: z.boolean().optional(),
  classes: z.array(text),
  /** Classification in files that do not say. */
  task: z
    .object({
      id: text,
      figures: z.array(
        z.object({
          name: text,
          title: text,
          better: z.enum(['higher', 'lower']),
          isShare: z.boolean().optional(),
          fromClasses: count.optional(),
          value: z.number().nullable(),
        }),
      ),
    })
    .optional(),
  evaluation: z.object({ count, notFinite: count, ...z.object(classifierShape).partial().shape }),
  /** Of the worst answers; before other tasks were drawn, under `mistakes`. */
  drawings: drawingsSchema.optional(),
  mistakes: drawingsSchema.optional(),
  /** Its `accuracy` is the first figure of the task. */
  packed: z.object({ accuracy: z.number().nullable(), fileBytes: count, floatBytes: count }).nullable(),
});
type Outcome = z.infer<typeof outcomeSchema>;

/** What files say that are of classifiers and of before tasks were values. */
function classifierFigures({ evaluation: { top1, top5, loss } }: Outcome): ReportedFigure[] {
  const values: Readonly<Record<string, number | null | undefined>> = { accuracy: top1, top5, loss };
  return classification.figures.map(({ of: _, ...figure }) => ({ ...figure, value: values[figure.name] ?? null }));
}

function write(run: RunFolder, network: Network, outcome: Outcome): void {
  run.write(outcomeFile, `${JSON.stringify(outcome)}\n`);
  const { evaluation, task, drawings = outcome.mistakes ?? [] } = outcome;
  const figures = task?.figures ?? classifierFigures(outcome);
  const { confusion } = evaluation;
  const shown = { ...outcome, figures, drawings, ...(confusion ? { confusion } : {}) };
  run.write('report.html', reportHtml({ ...shown, config: run.readConfig(), metrics: run.readMetrics(), network }));
}

function readOutcome(file: string): Outcome {
  try {
    return outcomeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new FormatError(
      `${file} is damaged (${error instanceof Error ? error.message.split('\n')[0] : error}); delete it, and the report stays as it is`,
    );
  }
}

/** Of a classifier's result what its file has always had; of others nothing that they do not all have. */
function storedResult(result: Result): Outcome['evaluation'] {
  const classifier = z.object(classifierShape).safeParse(result);
  const { count: images, notFinite } = result;
  return { ...(classifier.success ? classifier.data : {}), count: images, notFinite };
}

/** Writes `evaluation.json` and `report.html` of a finished run. @param command that gave it */
export async function writeReport<R extends Result>(
  run: RunFolder,
  network: Network,
  data: DataSet<Split<object>>,
  task: Task<Truths, R>,
  result: R,
  command: string,
): Promise<void> {
  const tested = sampleOf(data.test, run.readConfig().limit ?? Number.POSITIVE_INFINITY);
  const drawings = task.draw?.(result, { shape: data.shape, classes: data.classes }) ?? [];
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  write(run, network, {
    command,
    originalPixels: data.originalPixels,
    classes: [...data.classes],
    task: { id: task.id, figures: task.figures.map(({ of, ...figure }) => ({ ...figure, value: finite(of(result)) })) },
    evaluation: storedResult(result),
    drawings: await picturesOf(drawings, data, tested),
    packed: null,
  });
}

/**
 * Puts what is known of the packed network into the report of a run; not where there is none yet, or while a training writes it.
 *
 * @param network of the run; asked for when the report is written
 */
export function notePacked(run: RunFolder, network: () => Network, packed: PackedFigures): void {
  const file = run.file(outcomeFile);
  if (!existsSync(file) || run.isTaken) return;
  write(run, network(), { ...readOutcome(file), packed });
}
