import { type Command, Option } from 'commander';
import { packedFile } from '../analysis/file-names.ts';
import { packForData } from '../analysis/packed-evaluation.ts';
import { operations, summarise } from '../analysis/summary.ts';
import type { BackendName } from '../backend/select.ts';
import { writeFileAtomic } from '../data/files.ts';
import { floatBytes } from '../pack/pack.ts';
import { describeProof } from '../runtime/proof.ts';
import { bestText } from '../train/best.ts';
import { notePacked } from '../train/report-file.ts';
import { allowBroken } from './arguments.ts';
import { openRun, runFolderOf } from './data.ts';
import { bytes, formatTable, print, quantity } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { runPath } from './runs.ts';
import { stageOption } from './trained.ts';

interface PackCommandOptions extends WithPlugins {
  readonly best?: boolean;
  readonly ema?: boolean;
  readonly stage?: number;
  readonly data?: string;
  readonly allowBroken?: number;
  readonly output?: string;
  readonly allowFloat?: readonly string[] | 'all';
  readonly verify?: BackendName;
  readonly json?: boolean;
}

const floatLayers = (list: string) => (list === 'all' ? list : list.split(','));

export function definePack(command: Command): void {
  command
    .argument('<run>', 'run folder (or name under runs/)')
    .option('--best', 'pack the best checkpoint of a run trained with --keep best')
    .option(...stageOption)
    .option('--no-ema', 'of a run trained with --ema: the weights of its last step, not their averages')
    .option('--data <name>', 'calibration images (default: the data set of the run)')
    .option(...allowBroken)
    .option(
      '--output <file>',
      `where to write (default: <run>/${packedFile}; of a stage <run>/stage-<n>-${packedFile})`,
    )
    .option(
      '--allow-float <layers>',
      'binary layers that may run in float: names as pack prints them, or all',
      floatLayers,
    )
    .addOption(
      new Option('--verify <backend>', 'prove the file on this backend too: what browsers will compute').choices([
        'wasm',
      ]),
    )
    .option(...plugin)
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  signum pack runs/cnv6-bnn-mnist\n  signum pack runs/cnv6-bnn-mnist --verify wasm',
    )
    .action(async (run: string, options: PackCommandOptions) => {
      const path = runPath(run);
      const house = await houseOf(options);
      const { network, data, checkpoint, task } = await openRun(path, options, house);
      const best = options.best ? checkpoint.best : undefined;
      const { bytes: file, model } = await packForData(network, data, {
        allowFloat: options.allowFloat,
        verifyOn: options.verify ? [options.verify] : [],
        ops: house.ops,
        task,
      });
      const { stage } = options;
      const name = stage === undefined ? packedFile : `stage-${stage}-${packedFile}`;
      const output = options.output ?? runFolderOf(path).file(name);
      writeFileAtomic(output, file);
      const packed = { accuracy: null, fileBytes: file.length, floatBytes: floatBytes(network) };
      if (options.output === undefined && stage === undefined) notePacked(runFolderOf(path), () => network, packed);
      const layers = summarise(model, 1, 5);
      if (options.json) {
        print(
          `${JSON.stringify({ file: output, ...(best ? { best } : {}), packedBytes: file.length, floatBytes: floatBytes(network), proof: model.proof, layers: layers.map(({ name, op, kernel }) => ({ name, op, kernel })) })}\n`,
        );
        return;
      }
      if (best) print(`best checkpoint: ${bestText(best, task.figures[0])}\n\n`);
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
      if (model.proof) print(`verified ${describeProof(model.proof)}\n`);
      print(
        `${output}: ${bytes(file.length)}, float32 ${bytes(floatBytes(network))} (${(floatBytes(network) / file.length).toFixed(1)}x), ${quantity(operations(layers))} OPs per image\n`,
      );
    });
}
