import type { Command } from 'commander';
import { disturbanceText, type Robustness, robustnessOf } from '../analysis/robustness/robustness.ts';
import { loadedOnce } from '../compare/loaded-once.ts';
import { UsageError } from '../core/errors.ts';
import { configFor } from '../train/plugin-records.ts';
import { allowBroken, integer } from './arguments.ts';
import { loadData, type OtherData, openClassifier, runFolderOf } from './data.ts';
import { formatTable, percent, print } from './output.ts';
import { houseOf, plugin } from './plugins.ts';
import { runPath } from './runs.ts';

interface Options extends OtherData {
  images: number;
  json?: boolean;
}

export function defineRobustness(command: Command): void {
  command
    .argument('<runs...>', 'run folders (or names under runs/) on the same data')
    .option('--images <n>', 'test images used', integer, 500)
    .option(...allowBroken)
    .option(...plugin)
    .option('--json', 'one JSON object per run')
    .addHelpText(
      'after',
      '\nStrengths are shares of the pixel range. An attack knows the network; an image\nhas to withstand it by the slopes of the method and by the clipped one.\n\nExample:\n  signum robustness runs/resnet20-float-cifar10 runs/resnet20-bnn-cifar10 --images 1000',
    )
    .action(async (runs: string[], { images, json, ...other }: Options) => {
      if (images < 1) throw new UsageError('--images 0: there must be at least one image');
      const paths = runs.map(runPath);
      const house = await houseOf(other);
      const names = paths.map((path) => {
        const { data, splitSeed } = configFor(runFolderOf(path), house);
        return splitSeed === undefined ? data : `${data} divided by seed ${splitSeed}`;
      });
      const unlike = names.findIndex((name) => name !== names[0]);
      if (unlike >= 0)
        throw new UsageError(
          `${paths[unlike]} is on ${names[unlike]}, ${paths[0]} on ${names[0]}; compare runs on the same data`,
        );
      const load = loadedOnce((choice) => loadData(choice, house));
      const measured: Robustness[] = [];
      for (const path of paths) {
        const { network, data, task } = await openClassifier(path, other, house, load);
        const result = await robustnessOf(network, data, images, { ...house, heads: task.heads });
        measured.push(result);
        if (json) print(`${JSON.stringify({ run: path, ...result })}\n`);
      }
      if (json) return;
      const lines = measured[0]!.under.map(({ attack, strength }, i) => [
        disturbanceText(attack, strength),
        ...measured.map(({ under }) => percent(under[i]!.accuracy)),
      ]);
      const undisturbed = ['undisturbed', ...measured.map(({ clean }) => percent(clean))];
      print(`${formatTable(['', ...paths], [undisturbed, ...lines])}\n`);
    });
}
