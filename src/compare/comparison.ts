import { cpus } from 'node:os';
import { kernels, threads } from '../backend/select.ts';
import { pixelsText } from '../data/digest.ts';
import type { Method } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import type { Own } from '../models/table.ts';
import { table3 } from '../survey/classification.ts';
import { type FigureName, isBetter } from '../tasks/figures.ts';
import type { TrainConfig } from '../train/config.ts';
import { commandOf } from '../train/run.ts';
import type { EpochMetrics } from '../train/run-folder.ts';
import { type Job, jobsByRow } from './jobs.ts';
import { type Plan, taskOfPlan } from './plan.ts';
import { runFolderOf } from './queue.ts';
import { type RunResult, readResult } from './result.ts';

/** A finished run of a row. */
export interface SeedRun {
  readonly id: string;
  readonly folder: string;
  readonly seed: number;
  readonly config: TrainConfig;
  readonly result: RunResult;
  readonly metrics: readonly EpochMetrics[];
}

/** One method, with one set of options, on one model and one data set. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly method: Method;
  readonly model: string;
  readonly data: string;
  readonly runs: readonly SeedRun[];
  /** What the numbers under `accuracy` are: the first figure of the plan's task. */
  readonly figure: FigureName;
  /** Of the runs that did not fail; the spread is the standard deviation between seeds, null for a single one. */
  readonly accuracy: { readonly mean: number; readonly spread: number | null } | null;
  readonly failed: string | null;
  readonly packedBytes: number | null;
  /** Of the packed network, one image, in milliseconds. */
  readonly latencyMs: number | null;
  /** Whether all runs are of the images that were published; undefined where that is not known. */
  readonly originalPixels: boolean | undefined;
  /** What the survey's table 3 prints for the method, where all runs are of the pixels that it is about. */
  readonly published: string | null;
}

export interface Comparison {
  readonly plan: Plan;
  /** Best first; failed ones at the end. */
  readonly rows: readonly Row[];
  /** Runs not finished yet. */
  readonly open: number;
}

/** `86.5 (ResNet-20), 90.4 (VGG-Small)` for CIFAR-10 rows; null where the survey has no figure of the method. */
export function publishedFigures(method: string, data: string): string | null {
  if (data !== 'cifar10' || method === 'float') return null;
  const rows = table3.rows.filter(({ id }) => id === method);
  if (rows.length === 0) return null;
  const { weight, activation } = methodNamed(method).bits;
  const figures = rows
    .filter(({ cells }) => cells[0] === `${weight}/${activation}`)
    .map(({ cells }) => `${cells[2]} (${cells[1]})`);
  return figures.length > 0 ? figures.join(', ') : null;
}

/** The best first, what has no value last. */
export const byFigure =
  <T>(figure: FigureName, read: (of: T) => number | undefined) =>
  (a: T, b: T): number => {
    const [first, second] = [read(a) ?? Number.NaN, read(b) ?? Number.NaN];
    return Number(isBetter(figure, second, first)) - Number(isBetter(figure, first, second));
  };

export function meanAndSpread(values: readonly number[]): { mean: number; spread: number | null } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length < 2) return { mean, spread: null };
  return { mean, spread: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1)) };
}

function seedRun(folder: string, { id, seed }: Job): SeedRun | null {
  const run = runFolderOf(folder, id);
  const result = readResult(run);
  return result && { id, folder: run.path, seed, config: run.readConfig(), result, metrics: run.readMetrics() };
}

function rowOf(
  jobs: readonly Job[],
  folder: string,
  latencies: ReadonlyMap<string, number>,
  figure: FigureName,
  { methods }: Own,
): Row | null {
  const runs = jobs.flatMap((job) => seedRun(folder, job) ?? []);
  const [first] = runs;
  if (!first) return null;
  const { row: id, label, model, data, config } = jobs[0]!;
  const pixels = new Set(runs.flatMap(({ metrics }) => metrics.map((epoch) => epoch.originalPixels)));
  const originalPixels = pixels.size === 1 ? [...pixels][0] : pixels.has(false) ? false : undefined;
  const done = runs.flatMap(({ result }) => (result.failed === undefined ? [result] : []));
  return {
    id,
    label,
    method: methodNamed(config.method, undefined, methods),
    model: model.width === 1 ? model.model : `${model.model} x${model.width}`,
    data,
    runs,
    figure,
    accuracy: done.length > 0 ? meanAndSpread(done.map(({ accuracy }) => accuracy)) : null,
    failed: runs.find(({ result }) => result.failed !== undefined)?.result.failed ?? null,
    packedBytes: done[0]?.packedBytes ?? null,
    latencyMs: latencies.get(first.id) ?? null,
    originalPixels,
    published: originalPixels ? publishedFigures(config.method, data) : null,
  };
}

/** What the run folders of a comparison hold now. */
export function readComparison(
  plan: Plan,
  jobs: readonly Job[],
  folder: string,
  latencies: ReadonlyMap<string, number>,
): Comparison {
  const [figure] = taskOfPlan(plan).figures;
  const rows = jobsByRow(jobs).flatMap((group) => rowOf(group, folder, latencies, figure, plan.own) ?? []);
  rows.sort(byFigure(figure, ({ accuracy }) => accuracy?.mean));
  const finished = rows.reduce((sum, { runs }) => sum + runs.length, 0);
  return { plan, rows, open: jobs.length - finished };
}

export function describeMachine(): string {
  const { name, detail } = kernels();
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${name} kernels (${detail}), ${name === 'native' ? threads() : 1} thread(s)`;
}

/** `cifar10: original pixels` of each data set of which it is known; empty otherwise. */
export function pixelsOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ data, originalPixels }) => {
    const text = pixelsText(originalPixels);
    return text ? [`${data}: ${text}`] : [];
  });
  return [...new Set(lines)].join('; ');
}

export function budgetText({ budget }: Plan): string {
  return 'epochs' in budget ? `${budget.epochs} epochs` : `${budget.minutes} minutes`;
}

/** How to make this row's runs one by one. */
export const commandsOf = ({ runs }: Row): string[] => runs.map(({ config, folder }) => commandOf(config, folder));
