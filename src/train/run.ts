import { existsSync, rmSync } from 'node:fs';
import { InterruptError, UsageError } from '../core/errors.ts';
import { interruptedBy, type Signal } from '../core/interrupt.ts';
import { shellWord } from '../core/printable.ts';
import type { DataSet, Split } from '../data/dataset.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import { policyText } from '../models/policy.ts';
import { requireOwn } from '../models/table.ts';
import { oddRule } from '../optim/rules.ts';
import { classification } from '../tasks/classification.ts';
import type { Result, Task } from '../tasks/task.ts';
import { type Best, bestFile } from './best.ts';
import { type LoadedCheckpoint, readCheckpoint } from './checkpoint.ts';
import { askedOf, optimizerOf, parseConfig, type TrainConfig, type TrainOptions } from './config.ts';
import { trainingData } from './data-of.ts';
import { distillationNote } from './distillation.ts';
import { effectiveOf } from './effective.ts';
import type { Evaluation } from './evaluate.ts';
import { floatNetworkFor, floatUses, noFloat } from './float-networks.ts';
import { networkFor } from './network-for.ts';
import type { House } from './plugin.ts';
import { configFor, pluginArgument, pluginRecords } from './plugin-records.ts';
import { requireSameTask, taskOf } from './purpose.ts';
import { writeReport } from './report-file.ts';
import { resumedConfig } from './resume.ts';
import type { RunEvents } from './run-events.ts';
import { RunFolder } from './run-folder.ts';
import { listenForSignals } from './signals.ts';
import { hasStages, stagesText } from './stages.ts';
import { Trainer } from './trainer.ts';
import { withUsualAugmentation } from './usual-augmentation.ts';

/** On by themselves where the method or the images ask for it. */
const switches: ReadonlySet<string> = new Set(['clipLatent', 'flip'] satisfies (keyof TrainConfig)[]);

function optionText(value: NonNullable<TrainConfig[keyof TrainConfig]>): string {
  if (typeof value !== 'object') return String(value);
  if (!Array.isArray(value)) return policyText(value as Record<string, string>);
  return typeof value[0] === 'object' ? JSON.stringify(value) : value.join();
}

/** The command line that gives this config. @param folder of the run, from which its plugins are found */
export function commandOf(config: TrainConfig, folder = ''): string {
  const options = Object.entries(askedOf(config)).flatMap(([key, value]) => {
    const flag = key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (typeof value === 'boolean') return value ? [`--${flag}`] : switches.has(key) ? [`--no-${flag}`] : [];
    if (key === 'headSettings') return [`--${flag} ${shellWord(JSON.stringify(value))}`];
    return value === undefined ? [] : [`--${flag} ${shellWord(optionText(value))}`];
  });
  const plugins =
    config.effective?.plugins?.map((record) => `--plugin ${shellWord(pluginArgument(record, folder))}`) ?? [];
  return `signum train ${[...options, ...plugins].join(' ')}`;
}

/** What to do where a run lies already: refuse, continue it, or begin it anew. */
export type Existing = 'refuse' | 'resume' | 'replace';

/** What `trainRun` tells while it trains, and what it does where there is a run already. */
export interface TrainRunOptions<R extends Result = Evaluation> extends RunEvents, House {
  /** A task of one's own, in place of the one that the options name; its id is what the run stores. */
  readonly task?: Task<Truths, R> | undefined;
  /** Untrained; default what the options name. What it says is the first output of the task's head. */
  readonly network?: Network | undefined;
  readonly existing?: Existing;
  /** Whether a new run, whose network is not given, first trains the float network that its method starts or learns from, where the options name none; default true. */
  readonly floatNetworks?: boolean;
}

/** A run that is done: its folder, its network and how good it is. */
export interface FinishedRun<R extends Result = Evaluation, S extends Split<object> = Split> {
  readonly folder: RunFolder;
  /** With the weights of the last step. */
  readonly network: Network;
  /** The images as the network sees them: as a checkpoint or a teacher does, where there is one. */
  readonly data: DataSet<S>;
  /** On the test images, after the last epoch; null when stopped before the end. */
  readonly evaluation: R | null;
  /** The first figure of the task, of classifiers top-1 of `evaluation`; NaN when stopped before the end. */
  readonly accuracy: number;
  /** False when Ctrl-C or a kill stopped it; its state is saved. */
  readonly finished: boolean;
  /** The signal that asked to stop (Ctrl-C: SIGINT), even if the run was finished by then. */
  readonly interrupted: Signal | null;
  /** The best epoch, where `keep` or `patience` asks for one, and what it was chosen on; with `keep: 'best'`, its weights are in `best.safetensors`. */
  readonly best: Best | null;
  /** `patience` ended the run before its last epoch. */
  readonly stoppedEarly: boolean;
  /** That the run diverged, or learned nothing, in one line. */
  readonly warning: string | null;
}

/** How the run is taught and in which stages, and numbers that can hardly be meant; each in a line. */
function notesOn(
  { stages, network: { method } }: Pick<Trainer, 'stages' | 'network'>,
  config: TrainConfig,
  continued: boolean,
): (string | null)[] {
  const published = config.stages === undefined && method.stages?.map(({ epochs }) => epochs).join(' + ');
  const lines = stages.flatMap((stage) => [
    distillationNote(stage.config, method),
    continued ? null : oddRule(optimizerOf(stage.config, stage.method)),
  ]);
  return [
    ...new Set(lines),
    hasStages(stages)
      ? `stages: ${stagesText(stages)}${published ? `, in proportion to the ${published} epochs of ${method.title}` : ''}`
      : null,
  ];
}

function begin(
  folder: RunFolder,
  trainer: Pick<Trainer, 'resume'>,
  config: TrainConfig,
  checkpoint: LoadedCheckpoint | null,
): void {
  if (checkpoint) {
    folder.writeConfig(config);
    trainer.resume(checkpoint);
    return;
  }
  rmSync(folder.file('checkpoint.safetensors'), { force: true });
  rmSync(folder.file(bestFile), { force: true });
  folder.writeConfig(config);
  folder.keepMetricsBefore(0);
}

/**
 * The options with the float networks that the method starts from and learns from, trained first where there are none yet.
 *
 * @throws InterruptError when stopped meanwhile
 */
async function withFloatNetworks(
  run: RunFolder,
  asked: TrainOptions,
  data: DataSet<Split<object>>,
  events: RunEvents & House,
  trains: boolean,
): Promise<TrainOptions> {
  const options = { ...asked };
  for (const use of trains ? floatUses(asked, events) : []) {
    const float = floatNetworkFor(use, run, withUsualAugmentation(parseConfig(asked), events).config, data, events);
    events.onNote?.(float.note);
    options[use] = float.folder.path;
    if (float.isDone) continue;
    const { interrupted, finished } = await trainRun(float.folder, float.config, data, {
      existing: 'resume',
      ...events,
    });
    if (!finished || interrupted)
      throw new InterruptError(
        interrupted ?? 'SIGINT',
        `stopped while the float network for ${asked.method} was trained; the same command goes on with it`,
      );
  }
  for (const use of ['init', 'teacher'] as const) if (options[use] === noFloat) delete options[use];
  return options;
}

/**
 * Does what `signum train` does: trains a network in a run folder that every command takes, with `config.json`, `metrics.jsonl` (a line per
 * epoch; the same as a table in `metrics.csv`), `checkpoint.safetensors`, `evaluation.json` and `report.html`. One process at a time writes a run; Ctrl-C saves and stops.
 *
 * @param folder path such as `runs/mine`; one that is locked stays so
 * @param asked options of `signum train`; `data` is the name under which the commands find the images again; to continue a run, those it
 * was begun with, but for more `epochs`, `keep` and `patience`
 * @param data the images; a checkpoint's or a teacher's order of classes and normalisation count
 * @throws UsageError for options that are wrong and for a run that exists (`existing: 'resume'` continues it), DataError when the images
 * are not those that the run was begun on, TakenError when another
 * process writes it, DivergenceError when the loss is NaN or infinite
 */
export async function trainRun<R extends Result = Evaluation, S extends Split<object> = Split>(
  folder: string | RunFolder,
  asked: TrainOptions,
  data: DataSet<S>,
  { existing = 'refuse', floatNetworks = true, task: given, network: built, ...others }: TrainRunOptions<R> = {},
): Promise<FinishedRun<R, S>> {
  const run = typeof folder === 'string' ? new RunFolder(folder) : folder;
  if (existing === 'refuse') run.requireNew();
  const events: RunEvents = others;
  const own: House = given ? { ...others, tasks: [given, ...(others.tasks ?? [])] } : others;
  requireOwn(own);
  // commands find it in the run by its name
  const named =
    given && given.id !== classification.id && asked.task === undefined ? { ...asked, task: given.id } : asked;
  if (given && (named.task ?? classification.id) !== given.id)
    throw new UsageError(
      `trainRun: its options name task "${named.task}", and it is given "${given.id}" as a value; leave one out`,
    );
  const options =
    existing === 'resume' && run.exists
      ? asked
      : await withFloatNetworks(run, named, data, { ...others, ...own }, floatNetworks && !built);
  return run.whileLocked(async () => {
    const stopListening = listenForSignals();
    try {
      if (existing === 'refuse') run.requireNew();
      const continued = existing === 'resume' && run.exists;
      const file = run.file('checkpoint.safetensors');
      // killed before its first checkpoint, a run starts anew: with the same seed that is the same run
      const checkpoint = existing === 'resume' && existsSync(file) ? readCheckpoint(file) : null;
      const { config, note } = continued
        ? { config: resumedConfig(configFor(run, own), options, run.path, checkpoint?.epoch ?? 0), note: null }
        : withUsualAugmentation(parseConfig(options), own);
      const task = given ?? (taskOf(config, own) as unknown as Task<Truths, R>);
      if (checkpoint) requireSameTask(checkpoint, task);
      const { data: fitted, notes } = trainingData(config, data, checkpoint, task.truth);
      const network = built ?? networkFor(config, fitted, own);
      const trainer = new Trainer<R>({ network, data: fitted, folder: run, config, own, task });
      const records = pluginRecords(config, run.path, own.plugins);
      const effective = effectiveOf(config, trainer.network, trainer.companion, data, records, trainer.purpose);
      for (const line of [...notesOn(trainer, config, continued), ...notes, note]) if (line) events.onNote?.(line);
      begin(run, trainer, { ...config, effective }, checkpoint);
      const shouldStop = () => interruptedBy() !== null;
      const result = await trainer.run({ ...events, shouldStop });
      const { evaluation } = result;
      if (evaluation) {
        // what was handed in as a value has no command
        const program = `# by a program that hands ${given ? `task "${task.id}"` : 'its network'} to trainRun`;
        const typed = commandOf({ ...config, effective }, run.path);
        const command = given || built ? `${program}\n# options: ${typed}` : typed;
        await writeReport(run, network, fitted, task, evaluation, command);
      }
      return {
        ...result,
        folder: run,
        data: fitted,
        accuracy: evaluation ? task.figures[0].of(evaluation) : Number.NaN,
        interrupted: interruptedBy(),
        warning: evaluation && (task.verdict?.(evaluation) ?? null),
      };
    } finally {
      stopListening();
    }
  });
}
