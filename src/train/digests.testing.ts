import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSet } from '../data/dataset.ts';
import { methodFor, revisionOf } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import { parseConfig, type TrainConfig, type TrainOptions } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { folded } from './stored-defaults.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

/** How the rates of BNN and DoReFa fell when digests were recorded. */
export const recordedRate = { schedule: 'step', clock: 'step' } as const;

/** Between them an epoch of these calls every kernel of training: sign and float convolutions, few-bit planes, all update rules. */
export const digestRuns = {
  // recorded when its first and last layer were float
  bnn: { model: 'vgg-small', width: 0.25, optimizer: 'adam', rate: 0.005, firstLast: 'float', ...recordedRate },
  'ir-net': { model: 'resnet20', width: 1, optimizer: 'sgd', rate: 0.1, weightDecay: 0 },
  'xnor-net': { model: 'resnet20', width: 0.5, optimizer: 'rmsprop', rate: 0.002, weightDecay: 0 },
  'react-net': { model: 'resnet18', width: 0.125, optimizer: 'adam', rate: 0.005 },
  bwn: { model: 'vgg-small', width: 0.25, optimizer: 'adamax', rate: 0.005, weightDecay: 0 },
  'dorefa-w1a2': { model: 'resnet20', width: 0.5, optimizer: 'adam', rate: 0.005, ...recordedRate },
} as const satisfies Record<string, Partial<TrainOptions>>;
export type DigestRun = keyof typeof digestRuns;

/**
 * SHA-256 of the weights and statistics after an epoch, on every native instruction set and number of threads and every machine. They
 * change where a method, an initialisation or the order of a sum does: the latter raises `arithmeticVersion`.
 */
export const digests: Readonly<Record<DigestRun, string>> = {
  bnn: '086db1f088614e06ce1a6537fd6a387aef74c43a4e3f8ff70a585e87d912287e',
  'ir-net': 'dc3122d41435be30b7e41c65b88718ab79fff79a5daeb1893af171c4e5ada510',
  'xnor-net': 'e03bc6725cdb17483b9ce1be9becc1f654b12786e6e6fbf5718c6a516a4e1f4b',
  'react-net': '4e322cf9565f16b287cab030f7d4acae3629bc0e1027824de5431a86895b8385',
  bwn: 'cd573869ca8d21b97ffde262c19b667a8a7c7f225757f073121e4182dc9c924d',
  'dorefa-w1a2': '4138f0afead8ac1804e4957591f1276c7fada5c648440980976ca6a5b6057c46',
};

/** Trains one of the runs for an epoch on the kernels in use. @returns SHA-256 in hexadecimal */
export const digestOf = (method: DigestRun): Promise<string> =>
  trainedDigest({ ...digestRuns[method], method, flip: true, padCrop: 1 }, blobData(16, 120, 16));

/** Digests are of methods as they were recorded: of one training where there are several by now, of classifiers that start evenly. */
function asRecorded(config: TrainConfig): TrainConfig {
  const now = methodFor(methodNamed(config.method), config.model);
  const { classifierStart, ...structure } = now.structure;
  if (!now.stages && !classifierStart) return config;
  const form = now.stages ? methodNamed(config.method, 1) : { ...now, structure };
  const first = { ...form, defaults: { ...now.defaults, ...form.defaults } };
  return {
    ...config,
    effective: {
      version: '0.1.0',
      revision: revisionOf(form),
      structure: first.structure,
      defaults: folded(config, first),
    },
  };
}

/** SHA-256 of the weights and statistics after an epoch on a data set, in hexadecimal. */
export async function trainedDigest(
  options: Omit<TrainOptions, 'data' | 'epochs' | 'batch'>,
  data: DataSet,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'signum-digest-'));
  try {
    const config = asRecorded(
      parseConfig({ ...options, data: data.name, epochs: 1, batch: 24, loss: 'cross-entropy' }),
    );
    const { network } = await trainerFor(config, data, new RunFolder(directory)).run();
    const hash = createHash('sha256');
    const arrays = [...network.parameters(), ...network.stateArrays()].map(({ value }) => value.data);
    for (const { buffer, byteOffset, byteLength } of arrays)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    return hash.digest('hex');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
