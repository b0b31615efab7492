import { join } from 'node:path';
import * as z from 'zod';
import { FormatError, UsageError } from '../../core/errors.ts';
import { readWhole } from '../../data/files.ts';
import { type LoadOptions, loadPackedModel } from '../../runtime/packed-model.ts';
import { PackedEnsemble } from '../../runtime/vote.ts';
import { parseConfig } from '../../train/config.ts';
import type { House } from '../../train/plugin.ts';
import { configFor } from '../../train/plugin-records.ts';
import { RunFolder } from '../../train/run-folder.ts';
import { ensembleFile, packedFile } from '../file-names.ts';

const member = z.strictObject({
  folder: z.string(),
  /** Its weight in the vote. */
  weight: z.number(),
  accuracy: z.number(),
  /** Of the vote of this network and all before it. */
  voteAccuracy: z.number(),
  packedBytes: z.number().nullable(),
});
const schema = z.strictObject({
  /** `bagging`: each network learns from its own bootstrap sample; `boosting`: from what the ones before got wrong. */
  form: z.enum(['bagging', 'boosting']),
  vote: z.enum(['soft', 'hard']),
  size: z.int().min(1).max(64),
  /** Each network starts from the weights of the one before. */
  sequential: z.boolean(),
  training: z.unknown().transform((given) => parseConfig(given)),
  members: z.array(member),
});

/** `ensemble.json` of an ensemble's folder: how it is made, and its finished networks. */
export type Ensemble = z.infer<typeof schema>;
export type Member = z.infer<typeof member>;

/** @throws FormatError when the file is damaged */
export function readEnsemble(folder: string): Ensemble {
  const file = join(folder, ensembleFile);
  const text = readWhole(file).toString();
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new FormatError(`${file} is damaged: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
  }
}

/** The same for a command that goes on with it. @throws UsageError too for a plugin of its networks that was not passed */
export function ensembleFor(folder: string, house: House): Ensemble {
  const first = new RunFolder(join(folder, 'member-1'));
  if (first.exists) configFor(first, house);
  return readEnsemble(folder);
}

/** @throws UsageError when a network is not packed or not trained yet, FormatError for damaged files */
export function loadPackedEnsemble(folder: string, limits?: Pick<LoadOptions, 'maxBytes' | 'ops'>): PackedEnsemble {
  const { members, vote, size } = readEnsemble(folder);
  if (members.length < size)
    throw new UsageError(
      `${folder} has ${members.length} of its ${size} networks; \`signum ensemble --resume\` trains the rest`,
    );
  const models = members.map(({ folder: name, packedBytes }) => {
    if (packedBytes === null) throw new UsageError(`${join(folder, name)} is not packed: its method does not pack`);
    const file = join(folder, name, packedFile);
    const bytes = readWhole(file);
    try {
      return loadPackedModel(bytes, limits);
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(`${file}: ${error.message}`) : error;
    }
  });
  return new PackedEnsemble(
    models,
    members.map(({ weight }) => weight),
    vote,
  );
}
