import type { Command } from 'commander';
import { packedFile, packForData } from '../analysis/packed-evaluation.ts';
import { operations, summarise } from '../analysis/summary.ts';
import { writeFileAtomic } from '../data/files.ts';
import { floatBytes } from '../pack/pack.ts';
import { share } from './arguments.ts';
import { openRun, runFolderOf } from './data.ts';
import { bytes, formatTable, print, quantity } from './output.ts';
import { runPath } from './runs.ts';

interface PackCommandOptions {
  readonly data?: string;
  readonly allowBroken?: number;
  readonly output?: string;
  readonly allowFloat?: readonly string[] | 'all';
  readonly json?: boolean;
}

const floatLayers = (list: string) => (list === 'all' ? list : list.split(','));

export function addPack(program: Command): void {
  program
    .command('pack')
    .description('pack a trained network to 1 bit, verify it bit for bit, write one safetensors file')
    .argument('<run>', 'run folder (or name under runs/)')
    .option('--data <name>', 'calibration images (default: the data set of the run)')
    .option('--allow-broken <share>', 'leave out up to this share of broken pictures of a folder', share)
    .option('--output <file>', `where to write (default: <run>/${packedFile})`)
    .option(
      '--allow-float <layers>',
      'binary layers that may run in float: names as pack prints them, or all',
      floatLayers,
    )
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', '\nExample:\n  signum pack runs/cnv6-bnn-mnist')
    .action(async (run: string, options: PackCommandOptions) => {
      const path = runPath(run);
      const { network, data } = await openRun(path, options);
      const { bytes: file, model } = await packForData(network, data, options.allowFloat);
      const output = options.output ?? runFolderOf(path).file(packedFile);
      writeFileAtomic(output, file);
      const layers = summarise(model, 1, 5);
      if (options.json) {
        print(
          `${JSON.stringify({ file: output, packedBytes: file.length, floatBytes: floatBytes(network), layers: layers.map(({ name, op, kernel }) => ({ name, op, kernel })) })}\n`,
        );
        return;
      }
      print(
        `${formatTable(
          ['layer', 'output', 'kernel', 'weights', 'packed'],
          layers.map((layer) => [
            layer.name,
            layer.shape,
            layer.kernel,
            layer.parameters ? bytes(layer.floatBytes) : '',
            layer.parameters ? bytes(layer.packedBytes) : '',
          ]),
        )}\n\n`,
      );
      print(`verified: every packed value equals the trained network's, bit for bit, on 64 test images\n`);
      print(
        `${output}: ${bytes(file.length)}, float32 ${bytes(floatBytes(network))} (${(floatBytes(network) / file.length).toFixed(1)}x), ${quantity(operations(layers))} OPs per image\n`,
      );
    });
}
