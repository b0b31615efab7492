import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/table.ts';
import { isZooName, zooFolder } from '../runtime/zoo.ts';
import { adoptAverages } from './average.ts';
import { type LoadedCheckpoint, readCheckpoint, restore } from './checkpoint.ts';
import type { House } from './plugin.ts';
import { configFor } from './plugin-records.ts';
import { taskOf } from './purpose.ts';
import { RunFolder } from './run-folder.ts';

/**
 * The checkpoint file of a run folder, a run's name, that file itself, or a network of the zoo; null when there is nothing at the path.
 *
 * @throws UsageError when the zoo has no such network, or only its signs
 */
export function checkpointOf(path: string): string | null {
  if (isZooName(path)) return latentsOf(path);
  const found = [path, join('runs', path)].find((candidate) => existsSync(candidate));
  if (found === undefined) return null;
  return statSync(found).isDirectory() ? join(found, 'checkpoint.safetensors') : found;
}

function latentsOf(name: string): string {
  const file = join(zooFolder(name), 'checkpoint.safetensors');
  if (existsSync(file)) return file;
  throw new UsageError(
    `${printable(name)} comes without its float weights, which are too large for the zoo: train it again (\`signum zoo --json\` tells its command), or start from one that has them (\`signum zoo\`)`,
  );
}

/**
 * The network of a run folder, or of a checkpoint file, that exists, with its trained weights; in training mode.
 *
 * @param file of a run folder: the last checkpoint, or `bestFile`
 * @param averaged of a run with `ema` the averages, not the weights of its last step
 * @param own methods, models and tasks that its names may be of
 * @throws UsageError in a command, for a run of a plugin that was not passed
 */
export function loadTrained(
  path: string,
  file = 'checkpoint.safetensors',
  averaged = true,
  own: House = {},
): { network: Network; checkpoint: LoadedCheckpoint } {
  const isFolder = statSync(path).isDirectory();
  const run = new RunFolder(isFolder ? path : dirname(path));
  if (own.plugins && run.exists) configFor(run, own);
  const checkpoint = readCheckpoint(isFolder ? join(path, file) : path);
  // of networks that end with the classifier the task may be at nobody's hand
  const heads = checkpoint.network.head ? taskOf(checkpoint, own).heads : [];
  const network = buildNetwork(checkpoint.network, undefined, { ...own, heads });
  restore(checkpoint, network);
  if (averaged) adoptAverages(network, checkpoint.tensors);
  return { network, checkpoint };
}
