import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { operations, summarise, sumOf } from '../analysis/summary.ts';
import { packTopology } from '../analysis/untrained.ts';
import { models } from '../models/table.ts';
import type { Packed } from '../pack/pack.ts';
import type { House } from '../train/plugin.ts';
import { integer, maxBytes, positive } from './arguments.ts';
import { bytes, formatTable, percent, print, quantity } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { loadPacked, runPath } from './runs.ts';

/** A packed model from a file, a run, or the name of a topology. */
export function resolveModel(target: string, method: string, width: number, house: House, maxBytes?: number): Packed {
  return [...models, ...(house.models ?? [])].some(({ id }) => id === target) && !existsSync(target)
    ? packTopology(target, method, width, house)
    : loadPacked(runPath(target), { maxBytes, ops: house.packedOps });
}

export function defineSummary(command: Command): void {
  command
    .argument('<model>', 'packed file, run folder, or a topology such as resnet20')
    .option('--method <name>', 'for a topology: how it is binarized', 'bnn')
    .option('--width <factor>', 'for a topology: multiply all channel counts', positive, 1)
    .option('--batch <n>', 'images per run when timing', integer, 1)
    .option(...maxBytes)
    .option(...plugin)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum summary vgg-small --method xnor-net\n  signum summary runs/cnv6-bnn-mnist',
    )
    .action(
      async (
        target: string,
        options: WithPlugins & { method: string; width: number; batch: number; maxBytes?: number; json?: boolean },
      ) => {
        const house = await houseOf(options);
        const { bytes: file, model } = resolveModel(target, options.method, options.width, house, options.maxBytes);
        const layers = summarise(model, Math.max(1, options.batch));
        const total = (key: Parameters<typeof sumOf>[1]) => sumOf(layers, key);
        if (options.json) {
          print(
            `${JSON.stringify({ layers, operations: operations(layers), fileBytes: file.length, activationBytes: model.activationBytes, memoryBytes: model.memory.total })}\n`,
          );
          return;
        }
        const row = (name: string, cells: readonly string[]) => [name, ...cells];
        const rows = layers.map((l) =>
          row(l.name, [
            l.shape,
            l.bits,
            quantity(l.parameters),
            quantity(l.binaryMacs),
            quantity(l.floatMacs),
            bytes(l.floatBytes),
            bytes(l.packedBytes),
            percent(l.timeShare),
            l.kernel,
          ]),
        );
        rows.push(
          row('total', [
            '',
            '',
            quantity(total('parameters')),
            quantity(total('binaryMacs')),
            quantity(total('floatMacs')),
            bytes(total('floatBytes')),
            bytes(total('packedBytes')),
            '',
            '',
          ]),
        );
        print(
          `${formatTable(['layer', 'output', 'bits W/A', 'parameters', 'binary MACs', 'float MACs', 'float', 'packed', 'time', 'kernel'], rows)}\n\n`,
        );
        const [largest] = layers.filter((l) => l.floatMacs > 0).sort((a, b) => b.packedBytes - a.packedBytes);
        print(
          `${quantity(operations(layers))} OPs (float MACs + binary MACs/64); file ${bytes(file.length)}; activations in memory ${bytes(model.activationBytes)}, all in all at most ${bytes(model.memory.total)} for an image; ${
            largest
              ? `largest float layer: ${largest.name}, ${bytes(largest.packedBytes)} of ${bytes(total('packedBytes'))}`
              : 'no float layer'
          }\n`,
        );
      },
    );
}
