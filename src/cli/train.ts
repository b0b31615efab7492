import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InterruptError } from '../core/errors.ts';
import { pixelsText } from '../data/digest.ts';
import { recipeOptions } from '../recipes/options.ts';
import { recipeNamed } from '../recipes/table.ts';
import { type FigureName, figureText, loggedAs } from '../tasks/figures.ts';
import { bestFile, bestText } from '../train/best.ts';
import { askedOf, type TrainConfig } from '../train/config.ts';
import type { House } from '../train/plugin.ts';
import { configFor } from '../train/plugin-records.ts';
import { taskOf } from '../train/purpose.ts';
import { prolongedText, resumedConfig } from '../train/resume.ts';
import { type FinishedRun, trainRun } from '../train/run.ts';
import { figureIn, RunFolder } from '../train/run-folder.ts';
import { loadData } from './data.ts';
import { print, tell } from './output.ts';
import { houseOf, pluginsTyped, type WithPlugins } from './plugins.ts';
import { progressEvents } from './progress.ts';
import { namedRun } from './runs.ts';
import { defaultRunName, trainingConfig, typedOptions, withForm, withTrainingOptions } from './training-options.ts';

interface Options extends Record<string, unknown>, WithPlugins {
  recipe?: string;
  name?: string;
  resume?: boolean;
  json?: boolean;
}

export function defineTrain(command: Command): void {
  withTrainingOptions(command)
    .option('--recipe <name>', 'a published row, see `signum recipes`; options given beside it override its own')
    .option('--name <name>', 'run folder under runs/ (default: the recipe, or <model>-<method>-<data>)')
    .option('--resume', 'continue a run; its options come from its config.json, and more --epochs prolong it')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum train --model cnv6 --width 0.25 --method bnn --data mnist --epochs 3 --optimizer adam\n  signum train --model resnet20 --method ir-net --data cifar10 --epochs 40 --pad-crop 4 --flip\n  signum train --recipe resnet20-recu-cifar10 --epochs 100\n  signum train --resume --name resnet20-ir-net-cifar10',
    )
    .action(async ({ recipe, name, resume, json, plugin, ...given }: Options, command: Command) => {
      const house = await houseOf({ plugin });
      const isChosen = recipe === undefined || command.getOptionValueSource('method') === 'cli';
      const training = withForm(given, house, isChosen ? undefined : recipeNamed(recipe).training.method);
      const folder = new RunFolder(namedRun(name ?? recipe ?? defaultRunName(training)));
      const typed = typedOptions(command, training);
      const chosen = () =>
        trainingConfig(recipe === undefined ? training : { ...recipeOptions(recipe, typed, house) }, house);
      const config = resume ? continued(folder, typed, house) : chosen();
      if (!resume) folder.requireNew();
      const [first] = taskOf(config, house).figures;
      const run = await trainRun(folder, config, await loadData(config, house), {
        ...house,
        existing: resume ? 'resume' : 'refuse',
        ...progressEvents(config.epochs, first),
      });
      if (run.finished) printResult(run, first, json ?? false, pluginsTyped({ plugin }));
      if (run.interrupted)
        throw new InterruptError(
          run.interrupted,
          run.finished
            ? 'interrupted when the run was finished'
            : `stopped and saved; continue with: signum train --resume --name ${folder.path}${pluginsTyped({ plugin })}`,
          run.finished ? null : { run: folder.path, finished: false, [first.name]: null },
        );
    });
}

/** The config of a run that is continued, with what was typed; says what becomes of the schedules. */
function continued(folder: RunFolder, typed: Record<string, unknown>, house: House): TrainConfig {
  const stored = configFor(folder, house);
  const done = folder.readMetrics().length;
  const config = resumedConfig(stored, typed, folder.path, done);
  const prolonged = prolongedText(stored, config, done, house);
  if (prolonged) tell(`${prolonged}\n`);
  return askedOf(config);
}

function printResult(
  { folder, data, accuracy: value, best, stoppedEarly, warning }: FinishedRun,
  first: FigureName,
  json: boolean,
  plugins: string,
): void {
  const metrics = folder.readMetrics();
  // the test images had no say in the choice, so their figure after that epoch is what to report of it
  const chosenLine = metrics.find(({ epoch }) => epoch === best?.epoch);
  const then = chosenLine && figureIn(chosenLine, 'test', first.name);
  if (json) {
    const { figures, ...choice } = best ?? { figures: {} };
    const chosen = best ? { best: { ...choice, ...figures, [loggedAs('test', first.name)]: then }, stoppedEarly } : {};
    print(
      `${JSON.stringify({ run: folder.path, finished: true, [first.name]: value, originalPixels: data.originalPixels, ...chosen, ...(warning ? { warning } : {}) })}\n`,
    );
    return;
  }
  if (stoppedEarly) print(`stopped early: no better epoch since epoch ${best!.epoch + 1}\n`);
  const pixels = pixelsText(data.originalPixels);
  print(
    `test ${first.title} ${figureText(first, value)}${pixels ? ` (${pixels})` : ''}; report: ${folder.file('report.html')}\n`,
  );
  if (best)
    print(`best: ${bestText(best, first)}; test ${first.title} then ${figureText(first, then ?? Number.NaN)}\n`);
  if (warning) print(`warning: ${warning}\n`);
  print(`next: signum pack ${folder.path}${plugins}${existsSync(folder.file(bestFile)) ? ' [--best]' : ''}\n`);
}
