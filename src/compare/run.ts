import { join } from 'node:path';
import { InterruptError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import { writeFileAtomic } from '../data/files.ts';
import type { FigureName } from '../tasks/figures.ts';
import { loadDataOf } from '../train/data-of.ts';
import type { RunFolder } from '../train/run-folder.ts';
import { analyseRun, openAnalyses } from './analyses.ts';
import { analysisSections } from './analysis-sections.ts';
import { epochsWithin } from './budget.ts';
import { byFigure, type Comparison, readComparison } from './comparison.ts';
import { comparisonHtml } from './html.ts';
import { type Job, jobsByRow, jobsOf } from './jobs.ts';
import { latenciesOf } from './latency.ts';
import { type Load, loadedOnce } from './loaded-once.ts';
import { comparisonMarkdown } from './markdown.ts';
import { type Plan, taskOfPlan } from './plan.ts';
import { Queue, type QueueEnd, type QueueEvents, runFolderOf } from './queue.ts';
import { readResult } from './result.ts';

/** Rows by the mean of their first figure over the first seeds, best first; float rows do not compete. */
function bestRows(jobs: readonly Job[], folder: string, count: number, figure: FigureName): Set<string> {
  const means = jobsByRow(jobs).flatMap((group) => {
    if (group[0]!.config.method === 'float') return [];
    const accuracies = group.flatMap(({ id }) => {
      const result = readResult(runFolderOf(folder, id));
      return result && result.failed === undefined ? [result.accuracy] : [];
    });
    const mean = accuracies.reduce((a, b) => a + b, 0) / accuracies.length;
    return accuracies.length > 0 ? [{ row: group[0]!.row, mean }] : [];
  });
  means.sort(byFigure(figure, ({ mean }) => mean));
  return new Set(means.slice(0, count).map(({ row }) => row));
}

/** The further seeds of the best rows, with the float runs they learn from; nothing before all first seeds are finished. */
export function againJobs(plan: Plan, first: readonly Job[], folder: string): Job[] {
  if (!plan.again || first.some(({ id }) => readResult(runFolderOf(folder, id)) === null)) return [];
  const best = bestRows(first, folder, plan.again.best, taskOfPlan(plan).figures[0]);
  const epochs = epochsOf(plan);
  const jobs = jobsOf(plan, folder, plan.again.seeds, epochs);
  const chosen = jobs.filter(({ row }) => best.has(row));
  const needed = new Set(chosen.map(({ needs }) => needs));
  return jobs.filter((job) => chosen.includes(job) || needed.has(job.id));
}

const loaderFor =
  ({ own }: Plan): Load =>
  (choice) =>
    loadDataOf(choice, undefined, own);

/** A budget in minutes becomes epochs when a run begins. */
const epochsOf = ({ budget }: Plan): number => ('epochs' in budget ? budget.epochs : 1);

/** All jobs known so far: those of the first seeds, and once these are done, of the further ones. */
export function knownJobs(plan: Plan, folder: string): Job[] {
  const first = jobsOf(plan, folder, plan.seeds, epochsOf(plan));
  return [...first, ...againJobs(plan, first, folder)];
}

/**
 * Runs what is left of a comparison.
 *
 * @throws DataError, UsageError and file errors that concern more than one run; what concerns one is its result
 */
export async function runComparison(
  plan: Plan,
  folder: string,
  events: QueueEvents,
  load: Load = loaderFor(plan),
): Promise<QueueEnd> {
  const once = loadedOnce(load);
  const afterRun = (job: Job, run: RunFolder, data: DataSet) => analyseRun(plan, job, run, data);
  const queue = new Queue(folder, events, (config, data) => epochsWithin(plan, config, data), once, plan.own, afterRun);
  const end = await queue.run(jobsOf(plan, folder, plan.seeds, epochsOf(plan)));
  const last = end === 'finished' && plan.again ? await queue.run(knownJobs(plan, folder)) : end;
  if (last === 'stopped') return last;
  // asked for after the run was finished, or cut short
  try {
    for (const job of openAnalyses(plan, knownJobs(plan, folder), folder)) {
      const run = runFolderOf(folder, job.id);
      if (!run.isTaken) await run.whileLocked(async () => afterRun(job, run, await once(job.config)));
    }
  } catch (error) {
    if (error instanceof InterruptError) return 'stopped';
    throw error;
  }
  return last;
}

/** Writes `report.html` and `report.md` of what is finished. */
export async function writeReports(plan: Plan, folder: string, load: Load = loaderFor(plan)): Promise<Comparison> {
  const jobs = knownJobs(plan, folder);
  const { machine, milliseconds } = await latenciesOf(jobs, folder, loadedOnce(load), plan.own);
  const comparison = readComparison(plan, jobs, folder, milliseconds);
  const sections = analysisSections(comparison, folder);
  writeFileAtomic(join(folder, 'report.html'), comparisonHtml(comparison, machine, sections));
  writeFileAtomic(join(folder, 'report.md'), comparisonMarkdown(comparison, machine, sections));
  return comparison;
}
