import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Ensemble, ensembleFor, loadPackedEnsemble } from '../analysis/ensemble/ensemble.ts';
import { EnsembleTraining } from '../analysis/ensemble/training.ts';
import { ensembleFile } from '../analysis/file-names.ts';
import { evaluatePacked } from '../analysis/packed-evaluation.ts';
import { InterruptError, UsageError } from '../core/errors.ts';
import { interruptedBy } from '../core/interrupt.ts';
import type { DataSet } from '../data/dataset.ts';
import type { House } from '../train/plugin.ts';
import { resumedConfig } from '../train/resume.ts';
import { integer } from './arguments.ts';
import { loadData } from './data.ts';
import { bytes, formatTable, percent, print, tell, tellLine } from './output.ts';
import { houseOf, type WithPlugins } from './plugins.ts';
import { progressEvents } from './progress.ts';
import { namedRun } from './runs.ts';
import { defaultRunName, trainingConfig, typedOptions, withForm, withTrainingOptions } from './training-options.ts';

interface Options extends Record<string, unknown>, WithPlugins {
  members: number;
  form: string;
  vote: string;
  sequential?: boolean;
  name?: string;
  resume?: boolean;
  json?: boolean;
}

function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((value) => value === given);
  if (!found) throw new UsageError(`--${option} ${given}: expected ${known.join(' or ')}`);
  return found;
}

function ensembleFrom({ members: size, form, vote, sequential, ...training }: Options, house: House): Ensemble {
  if (size < 1 || size > 64) throw new UsageError(`--members ${size}: expected 1 to 64 networks`);
  return {
    form: oneOf('form', form, ['bagging', 'boosting']),
    vote: oneOf('vote', vote, ['soft', 'hard']),
    size,
    sequential: sequential ?? false,
    training: trainingConfig(training, house),
    members: [],
  };
}

async function printResult(
  folder: string,
  { members, training }: Ensemble,
  data: DataSet,
  json: boolean,
  { packedOps: ops }: House,
): Promise<void> {
  const packs = members.every(({ packedBytes }) => packedBytes !== null);
  const packedAccuracy = packs
    ? (await evaluatePacked(loadPackedEnsemble(folder, { ops }), data, training.limit)).top1
    : null;
  const packedBytes = packs ? members.reduce((sum, one) => sum + one.packedBytes!, 0) : null;
  const accuracy = members.at(-1)!.voteAccuracy;
  if (json) {
    print(`${JSON.stringify({ run: folder, accuracy, packedAccuracy, packedBytes, members })}\n`);
    return;
  }
  const head = ['network', 'weight', 'alone', 'vote so far', 'packed'];
  const lines = members.map((one, i) => [
    String(i + 1),
    one.weight.toFixed(3),
    percent(one.accuracy),
    percent(one.voteAccuracy),
    one.packedBytes === null ? 'no' : bytes(one.packedBytes),
  ]);
  print(`${formatTable(head, lines)}\n`);
  const packed =
    packedAccuracy === null ? 'its method does not pack' : `packed ${percent(packedAccuracy)}, ${bytes(packedBytes!)}`;
  print(`\ntest accuracy of the vote ${percent(accuracy)}; ${packed}\n`);
  if (packs) print(`next: signum predict ${folder} <images...>\n`);
}

/** @throws UsageError for options that are typed with `--resume` and are not those of the ensemble */
function refuseOthers(ensemble: Ensemble, typed: Record<string, unknown>, folder: string): void {
  const stored: Record<string, unknown> = { ...ensemble, members: ensemble.size };
  const { members, form, vote, sequential, ...training } = typed;
  for (const [key, given] of Object.entries({ members, form, vote, sequential }))
    if (given !== undefined && given !== stored[key])
      throw new UsageError(
        `--${key} ${given}: ensemble ${folder} was begun with ${stored[key]}, and continues as it began: leave the option out, or begin another one, with another --name`,
      );
  const { epochs } = resumedConfig(ensemble.training, training, folder, 0);
  if (epochs !== ensemble.training.epochs)
    throw new UsageError(
      `--epochs ${epochs}: the networks of ensemble ${folder} have ${ensemble.training.epochs} each; begin another one, with another --name`,
    );
}

export function defineEnsemble(command: Command): void {
  withTrainingOptions(
    command
      .option('--members <n>', 'networks', integer, 3)
      .option(
        '--form <name>',
        'bagging: bootstrap samples; boosting: AdaBoost, what others got wrong counts more',
        'bagging',
      )
      .option('--vote <name>', 'soft: with probabilities; hard: for the best class', 'soft')
      .option('--sequential', 'each network starts from the one before'),
  )
    .option('--name <name>', 'folder under runs/ (default: <model>-<method>-<data>-<form>)')
    .option('--resume', 'continue an interrupted ensemble; all other options come from its ensemble.json')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum ensemble --members 3 --model cnv6 --width 0.25 --method bnn --data mnist --epochs 2 --optimizer adam\n  signum ensemble --members 5 --form boosting --model resnet20 --method bi-real --data cifar10 --epochs 20',
    )
    .action(async ({ name, resume, json, plugin, ...given }: Options, command: Command) => {
      const house = await houseOf({ plugin });
      const options = withForm(given, house) as Options;
      const folder = namedRun(name ?? `${defaultRunName(options)}-${options.form}`);
      const begun = existsSync(join(folder, ensembleFile));
      if (begun && !resume)
        throw new UsageError(`ensemble ${folder} exists; continue it with --resume, or choose another --name`);
      const ensemble = resume ? ensembleFor(folder, house) : ensembleFrom(options, house);
      if (resume) refuseOthers(ensemble, typedOptions(command, options), folder);
      const data = await loadData(ensemble.training, house);
      const training = new EnsembleTraining(folder, ensemble, data, house);
      for (const note of training.notes) tellLine(note);
      const finished = await training.run({
        onMember: (place, of) => {
          tell(`[${place}/${of}]\n`);
          return progressEvents(ensemble.training.epochs);
        },
        onTrained: ({ accuracy, voteAccuracy }, place) =>
          tell(`network ${place}: ${percent(accuracy)}; vote of ${place}: ${percent(voteAccuracy)}\n`),
      });
      if (finished) await printResult(folder, finished, data, json ?? false, house);
      else
        throw new InterruptError(
          interruptedBy() ?? 'SIGINT',
          `stopped and saved; continue with: signum ensemble --resume --name ${folder}`,
          { run: folder, finished: false },
        );
    });
}
