import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isEnsemble, packedFile } from '../analysis/file-names.ts';
import { FormatError, UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { readWhole } from '../data/files.ts';
import type { Packed } from '../pack/pack.ts';
import { type LoadOptions, loadPackedModel, type PackedModel } from '../runtime/packed-model.ts';
import type { PackedEnsemble } from '../runtime/vote.ts';
import { isZooName, zooFolder } from '../runtime/zoo.ts';
import { tellLine } from './output.ts';

/** A packed model from its file, or from a run folder that holds one; or the packed networks of an ensemble's folder. */
export async function loadVoting(
  path: string,
  limits?: Pick<LoadOptions, 'maxBytes' | 'ops'>,
): Promise<PackedModel | PackedEnsemble> {
  if (!isEnsemble(path)) return loadPacked(path, limits).model;
  const { loadPackedEnsemble } = await import('../analysis/ensemble/ensemble.ts');
  return loadPackedEnsemble(path, limits);
}

/** A packed model and the bytes of its file, or of the one that a run folder holds. */
export function loadPacked(path: string, limits?: Pick<LoadOptions, 'maxBytes' | 'ops'>): Packed {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; \`signum pack <run>\` writes ${packedFile}`);
  const file = statSync(path).isDirectory() ? join(path, packedFile) : path;
  if (!existsSync(file)) throw new UsageError(`${path} holds no ${packedFile}; run \`signum pack ${path}\` first`);
  const bytes = readWhole(file);
  try {
    return { bytes, model: loadPackedModel(bytes, limits) };
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${file}: ${error.message}`) : error;
  }
}

/** The folder of a run to be made or continued. @throws UsageError for a name that is no folder below another one */
export function namedRun(name: string): string {
  const path = /[/\\]/.test(name) ? name : join('runs', name);
  // `runs` itself and the working folder hold other things, which a run's files would mix with
  if (name.trim() === '' || ['.', '..'].includes(name.split(/[/\\]/).findLast((part) => part !== '') ?? '.'))
    throw new UsageError(`--name "${name}" names no folder of its own; give one, such as --name mine for runs/mine`);
  return path;
}

/** The run, model or ensemble that is meant: a network of the zoo, a path that exists as given, else `runs/<name>` under the working directory. */
export function runPath(name: string): string {
  if (isZooName(name)) return join(zooFolder(name), packedFile);
  if (/[/\\]/.test(name)) return name;
  const run = join('runs', name);
  if (!existsSync(name)) return run;
  if (existsSync(run)) tellLine(`${printable(name)} is taken as it is given; for the run, give ${printable(run)}`);
  return name;
}
