import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { type Finding, lint } from '../analysis/lint.ts';
import { FormatError } from '../core/errors.ts';
import { methodOn } from '../methods/table.ts';
import { modelNamed, models } from '../models/table.ts';
import { parseConfig, type TrainConfig } from '../train/config.ts';
import { networkFor } from '../train/network-for.ts';
import type { House } from '../train/plugin.ts';
import { RunFolder } from '../train/run-folder.ts';
import { positive } from './arguments.ts';
import { print } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { runPath } from './runs.ts';
import { loadNetwork } from './trained.ts';

interface Options extends WithPlugins {
  method: string;
  width: number;
  json?: boolean;
}

function readConfigFile(path: string): TrainConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FormatError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parseConfig(json);
}

/** The network of a config, for the model's own input shape and ten classes: what lint looks at does not depend on the images. */
function buildFor(config: TrainConfig, house: House) {
  const { inputShape } = modelNamed(config.model, house.models);
  return networkFor(config, { shape: inputShape, classes: Array.from({ length: 10 }, (_, i) => String(i)) }, house);
}

function findingsFor(target: string, { method, width }: Options, house: House): Finding[] {
  const { ops } = house;
  const path = runPath(target);
  if ([...models, ...(house.models ?? [])].some(({ id }) => id === target) && !existsSync(path)) {
    const { defaults } = methodOn(target, method, undefined, house.methods);
    const config = parseConfig({
      model: target,
      method,
      data: '-',
      width,
      epochs: defaults.epochs,
      batch: defaults.batch,
    });
    return lint(buildFor(config, house), config, [], ops);
  }
  if (target.endsWith('.json')) {
    const config = readConfigFile(target);
    return lint(buildFor(config, house), config, [], ops);
  }
  const { network } = loadNetwork(path, house);
  const folder = statSync(path).isDirectory() ? new RunFolder(path) : null;
  return lint(network, folder?.readConfig(), folder?.readMetrics(), ops);
}

const marks = { error: '✗', warning: '!', note: '·' };

export function defineLint(command: Command): void {
  command
    .argument('<target>', 'topology, training config (.json), run folder or checkpoint')
    .option('--method <name>', 'for a topology', 'bnn')
    .option('--width <factor>', 'for a topology', positive, 1)
    .option(...plugin)
    .option('--json', 'one JSON object per finding')
    .addHelpText(
      'after',
      '\nExamples:\n  signum lint vgg-small --method bwn\n  signum lint runs/resnet20-ir-net-cifar10\n\nExit code 1 when there is an error, 0 otherwise.',
    )
    .action(async (target: string, options: Options) => {
      const findings = findingsFor(target, options, await houseOf(options));
      for (const finding of findings) {
        if (options.json) print(`${JSON.stringify(finding)}\n`);
        else
          print(
            `${marks[finding.severity]} ${finding.rule} (${finding.where}): ${finding.reason}\n    cure: ${finding.cure}\n`,
          );
      }
      if (!options.json && findings.length === 0) print('no mistakes found\n');
      if (findings.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    });
}
