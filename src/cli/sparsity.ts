import type { Command } from 'commander';
import { packForData } from '../analysis/packed-evaluation.ts';
import { SparsityBench } from '../analysis/sparsity/sparsity.ts';
import { allowBroken, integer } from './arguments.ts';
import { type OtherData, openClassifier } from './data.ts';
import { formatTable, percent, print, quantity } from './output.ts';
import { houseOf, plugin } from './plugins.ts';
import { runPath } from './runs.ts';

interface Options extends OtherData {
  bits: number;
  images: number;
  json?: boolean;
}

export function defineSparsity(command: Command): void {
  command
    .argument('<run>', 'run folder (or name under runs/) of method float')
    .option('--bits <n>', 'of the copy, 1 to 8', integer, 4)
    .option('--images <n>', 'test images used', integer, 1000)
    .option(...allowBroken)
    .option(...plugin)
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', '\nExample:\n  signum sparsity runs/resnet20-float-cifar10 --bits 3')
    .action(async (run: string, { bits, images, json, ...other }: Options) => {
      const house = await houseOf(other);
      const { network, data, task } = await openClassifier(runPath(run), other, house);
      const { bytes } = await packForData(network, data, { ops: house.ops, task });
      const result = await new SparsityBench(bytes, bits, house.packedOps).measure(data, Math.max(1, images));
      if (json) {
        print(`${JSON.stringify(result)}\n`);
        return;
      }
      const head = ['layer', 'zeros', 'precision', 'recall', 'winners', 'MACs', 'left'];
      const lines = result.sites.map((site) => [
        site.layer,
        percent(site.zeros),
        percent(site.precision),
        percent(site.recall),
        site.winners === null ? '' : percent(site.winners),
        quantity(site.macs),
        percent(site.macsLeft / site.macs),
      ]);
      print(`${formatTable(head, lines)}\n\n`);
      print(
        `accuracy ${percent(result.accuracy)} -> ${percent(result.predictedAccuracy)} with ${percent(result.macsLeft / result.macs)} of ${quantity(result.macs)} float MACs left, and as many ${bits}-bit ones to predict\n`,
      );
    });
}
