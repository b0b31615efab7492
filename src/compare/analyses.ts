import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { robustnessOf } from '../analysis/robustness/robustness.ts';
import { SensitivityBench } from '../analysis/sensitivity.ts';
import { viewsOf } from '../analysis/views/views.ts';
import { FormatError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import { fitToModel } from '../data/fit-model.ts';
import type { Network } from '../models/network.ts';
import { imagesOf } from '../train/data-of.ts';
import { loadTrained } from '../train/load-network.ts';
import type { RunFolder } from '../train/run-folder.ts';
import type { Job } from './jobs.ts';
import { type Plan, taskOfPlan } from './plan.ts';
import { runFolderOf } from './queue.ts';
import { readResult } from './result.ts';

const shown = z.object({ uri: z.string(), width: z.number(), height: z.number() });
const variant = z.object({
  layer: z.string().nullable(),
  precision: z.string().nullable(),
  loss: z.number(),
  accuracy: z.number(),
  bytes: z.number(),
  milliseconds: z.number(),
});

/** What the log of an analysis holds: results outlive the weights they were taken from. */
const schemas = {
  robustness: z.object({
    images: z.number(),
    clean: z.number(),
    under: z.array(z.object({ attack: z.enum(['noise', 'fgsm', 'pgd']), strength: z.number(), accuracy: z.number() })),
  }),
  sensitivity: z.object({ base: variant, switched: z.array(variant) }),
  views: z.object({
    images: z.array(z.object({ label: z.string(), picture: shown })),
    firstFilters: shown.nullable(),
    layers: z.array(z.object({ layer: z.string(), arriving: z.array(shown), used: z.array(shown), filters: shown })),
  }),
} as const;

export type AnalysisKind = keyof typeof schemas;
export type AnalysisResult<K extends AnalysisKind> = z.infer<(typeof schemas)[K]>;

const analysisKinds = Object.keys(schemas) as AnalysisKind[];

const sensitivityPrecisions = ['2-bit', '8-bit', 'float'];

function analyse(kind: AnalysisKind, network: Network, data: DataSet, plan: Plan): Promise<unknown> {
  const { own } = plan;
  const { images } = plan.analyses;
  const task = taskOfPlan(plan);
  if (kind === 'robustness') return robustnessOf(network, data, images, { ...own, heads: task.heads });
  if (kind === 'views') return viewsOf(network, data);
  const options = { precisions: sensitivityPrecisions, images, calibration: 5, own, task };
  return new SensitivityBench(network, data, options).measure();
}

/** What the plan asks for of a finished run of the first seed and is not made yet; nothing where the weights are gone. */
function missingKinds(plan: Plan, { label, seed }: Job, run: RunFolder): AnalysisKind[] {
  const result = readResult(run);
  if (seed !== plan.seeds[0] || !result || result.failed !== undefined) return [];
  if (!existsSync(run.file('checkpoint.safetensors'))) return [];
  return analysisKinds.filter((kind) => plan.analyses[kind].includes(label) && !existsSync(run.file(`${kind}.json`)));
}

/** Makes the analyses of a run that are missing. @param run its folder, locked */
export async function analyseRun(plan: Plan, job: Job, run: RunFolder, data: DataSet): Promise<void> {
  for (const kind of missingKinds(plan, job, run)) {
    const { network, checkpoint } = loadTrained(run.path, undefined, true, plan.own);
    const { data: fitted } = fitToModel(data, imagesOf(checkpoint), 'evaluate');
    const result = await analyse(kind, network, fitted, plan);
    run.write(`${kind}.json`, `${JSON.stringify(result)}\n`);
  }
}

export const openAnalyses = (plan: Plan, jobs: readonly Job[], folder: string): Job[] =>
  jobs.filter((job) => missingKinds(plan, job, runFolderOf(folder, job.id)).length > 0);

/** @throws FormatError when the log is damaged; null when there is none */
export function readAnalysis<K extends AnalysisKind>(folder: string, id: string, kind: K): AnalysisResult<K> | null {
  const file = runFolderOf(folder, id).file(`${kind}.json`);
  if (!existsSync(file)) return null;
  try {
    return schemas[kind].parse(JSON.parse(readFileSync(file, 'utf8'))) as AnalysisResult<K>;
  } catch {
    throw new FormatError(`${file} is damaged; delete it, and the comparison makes it again`);
  }
}
