import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { FormatError } from '../core/errors.ts';
import { type DataSet, sampleOf } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import type { Evaluation } from './evaluate.ts';
import { picturesOf } from './mistakes.ts';
import { type PackedFigures, reportHtml } from './report.ts';
import type { RunFolder } from './run-folder.ts';

/** What a report shows that is not in the run's other files. */
const outcomeFile = 'evaluation.json';
const share = z.number().min(0).max(1);
const count = z.int().nonnegative();
const text = z.string().max(1000);
const outcomeSchema = z.object({
  command: z.string(),
  originalPixels: z.boolean().optional(),
  classes: z.array(text),
  evaluation: z.object({
    top1: share,
    top5: share,
    // JSON has no NaN
    loss: z.number().nullable(),
    count,
    notFinite: count,
    confusion: z.array(z.array(count)),
    mistakes: z.array(z.object({ place: count, truth: count, taken: count, confidence: share })),
  }),
  mistakes: z.array(
    z.object({
      picture: z.object({ uri: z.string().startsWith('data:image/png;base64,'), width: count, height: count }),
      truth: text,
      taken: text,
      confidence: share,
    }),
  ),
  packed: z.object({ accuracy: share.nullable(), fileBytes: count, floatBytes: count }).nullable(),
});
type Outcome = z.infer<typeof outcomeSchema>;

function write(run: RunFolder, network: Network, outcome: Outcome): void {
  const { evaluation } = outcome;
  run.write(outcomeFile, `${JSON.stringify(outcome)}\n`);
  const input = { ...outcome, evaluation: { ...evaluation, loss: evaluation.loss ?? Number.NaN } };
  run.write('report.html', reportHtml({ ...input, config: run.readConfig(), metrics: run.readMetrics(), network }));
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

/** Writes `evaluation.json` and `report.html` of a finished run. @param command that gave it */
export async function writeReport(
  run: RunFolder,
  network: Network,
  data: DataSet,
  evaluation: Evaluation,
  command: string,
): Promise<void> {
  const tested = sampleOf(data.test, run.readConfig().limit ?? Number.POSITIVE_INFINITY);
  const mistakes = await picturesOf(evaluation.mistakes, data, tested);
  const { mistakes: wrong, ...figures } = evaluation;
  write(run, network, {
    command,
    originalPixels: data.originalPixels,
    classes: [...data.classes],
    evaluation: { ...figures, mistakes: [...wrong] },
    mistakes,
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
