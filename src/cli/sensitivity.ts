import type { Command } from 'commander';
import { proposePolicy, SensitivityBench, type Variant } from '../analysis/sensitivity.ts';
import { bitsOf } from '../binarize/precision.ts';
import { UsageError } from '../core/errors.ts';
import { policyText } from '../models/policy.ts';
import { allowBroken, integer, number } from './arguments.ts';
import { type OtherData, openClassifier } from './data.ts';
import { bytes, formatTable, percent, print, tell } from './output.ts';
import { houseOf, plugin } from './plugins.ts';
import { runPath } from './runs.ts';

interface Options extends OtherData {
  method?: string;
  precisions: string;
  images: number;
  calibration: number;
  budgetKb?: number;
  budgetMs?: number;
  json?: boolean;
}

const signed = (value: number, digits: number) => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(digits)}`;

function lineOf(variant: Variant, base: Variant): string[] {
  return [
    variant.layer ?? 'as it is',
    variant.precision ?? '',
    variant.loss.toFixed(4),
    variant.layer ? signed(variant.loss - base.loss, 4) : '',
    percent(variant.accuracy),
    variant.layer ? signed(100 * (variant.accuracy - base.accuracy), 2) : '',
    bytes(variant.bytes),
    variant.milliseconds.toFixed(3),
  ];
}

export function defineSensitivity(command: Command): void {
  command
    .argument('<run>', 'run folder (or name under runs/), binary or float')
    .option('--method <name>', 'of a float run: how its layers are binarized', 'bwn')
    .option('--precisions <list>', 'what a layer is switched to', 'binary,2-bit,4-bit,8-bit,float')
    .option('--images <n>', 'test images used', integer, 1000)
    .option('--calibration <n>', "training batches for batch-norm's statistics after a switch", integer, 10)
    .option('--budget-kb <x>', 'propose a policy for a packed file of at most this size', number)
    .option('--budget-ms <x>', 'propose a policy for at most this latency of one image', number)
    .option(...allowBroken)
    .option(...plugin)
    .option('--json', 'one JSON object per variant')
    .addHelpText(
      'after',
      '\nNothing is trained: what a policy reaches shows `signum train --policy`.\n\nExamples:\n  signum sensitivity runs/resnet20-bi-real-cifar10 --budget-kb 60\n  signum sensitivity runs/resnet20-float-cifar10 --method bwn --precisions binary,2-bit',
    )
    .action(async (run: string, options: Options) => {
      if (options.budgetKb !== undefined && options.budgetMs !== undefined)
        throw new UsageError('give --budget-kb or --budget-ms, not both');
      const precisions = options.precisions.split(',').map((text) => text.trim());
      for (const precision of precisions) bitsOf(precision);
      const house = await houseOf(options);
      const { network, data, task } = await openClassifier(runPath(run), options, house);
      const isFloat = network.method.family === 'float';
      const bench = new SensitivityBench(network, data, {
        ...(isFloat ? { method: options.method } : {}),
        own: house,
        task,
        precisions,
        images: Math.max(1, options.images),
        calibration: Math.max(1, options.calibration),
      });
      const sensitivity = await bench.measure((variant) => {
        if (options.json) print(`${JSON.stringify(variant)}\n`);
        else if (process.stderr.isTTY) {
          process.stderr.write('\r');
          tell(`${variant.layer ?? ''} ${variant.precision ?? ''}   `);
        }
      });
      const { base, switched } = sensitivity;
      if (!options.json) {
        const head = ['layer', 'precision', 'loss', 'change', 'accuracy', 'points', 'packed', 'ms'];
        const lines = [base, ...switched].map((variant) => lineOf(variant, base));
        if (process.stderr.isTTY) process.stderr.write('\r');
        print(`${formatTable(head, lines)}\n`);
      }
      const budget = {
        ...(options.budgetKb === undefined ? {} : { bytes: 1000 * options.budgetKb }),
        ...(options.budgetMs === undefined ? {} : { milliseconds: options.budgetMs }),
      };
      if (Object.keys(budget).length === 0) return;
      const policy = proposePolicy(sensitivity, isFloat ? 'float' : 'binary', budget);
      if (!policy)
        throw new UsageError('not even the cheapest precisions fit the budget; raise it, or narrow the model');
      const proposed = await bench.variant(policy);
      if (options.json) {
        print(`${JSON.stringify({ policy, ...proposed })}\n`);
        return;
      }
      print(
        `\nproposed: loss ${proposed.loss.toFixed(4)}, accuracy ${percent(proposed.accuracy)}, ${bytes(proposed.bytes)}, ${proposed.milliseconds.toFixed(3)} ms, before any training\n  --policy ${policyText(policy)}\n`,
      );
    });
}
