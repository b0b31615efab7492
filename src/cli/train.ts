import type { Command } from 'commander';
import { trainRun } from '../train/run.ts';
import { RunFolder } from '../train/run-folder.ts';
import { loadData } from './data.ts';
import { percent, print } from './output.ts';
import { progressEvents } from './progress.ts';
import { namedRun } from './runs.ts';
import { defaultRunName, trainingConfig, withTrainingOptions } from './training-options.ts';

interface Options extends Record<string, unknown> {
  name?: string;
  resume?: boolean;
  json?: boolean;
}

export function addTrain(program: Command): void {
  withTrainingOptions(program.command('train').description('train a binary network in a run folder'))
    .option('--name <name>', 'run folder under runs/ (default: <model>-<method>-<data>)')
    .option('--resume', 'continue an interrupted run; all other options come from its config.json')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum train --model cnv6 --width 0.25 --method bnn --data mnist --epochs 3 --optimizer adam\n  signum train --model resnet20 --method ir-net --data cifar10 --epochs 40 --pad-crop 4 --flip\n  signum train --resume --name resnet20-ir-net-cifar10',
    )
    .action(async ({ name, resume, json, ...training }: Options) => {
      const folder = new RunFolder(namedRun(name ?? defaultRunName(training)));
      if (!resume) folder.requireNew();
      const config = resume ? folder.readConfig() : trainingConfig(training);
      const { accuracy, finished } = await trainRun(folder, config, await loadData(config), {
        existing: resume ? 'resume' : 'refuse',
        ...progressEvents(config.epochs),
      });
      if (json) print(`${JSON.stringify({ run: folder.path, finished, accuracy: finished ? accuracy : null })}\n`);
      else if (finished)
        print(
          `test accuracy ${percent(accuracy)}; report: ${folder.file('report.html')}\nnext: signum pack ${folder.path}\n`,
        );
      else print(`stopped and saved; continue with: signum train --resume --name ${folder.path}\n`);
    });
}
