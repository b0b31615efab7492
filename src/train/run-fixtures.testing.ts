import { createHash } from 'node:crypto';
import { packForData } from '../analysis/packed-evaluation.ts';
import { readSafetensors } from '../core/safetensors.ts';
import { Batches } from '../data/batches.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { TrainConfig, TrainOptions } from './config.ts';
import { loadTrained } from './load-network.ts';
import { trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';

const residual = { model: 'resnet20', width: 1 / 16 } as const;
const dense = { model: 'sfc', width: 0.02 } as const;

/** Runs whose methods were due to change, and one of each kind of thing that a run remembers. */
export const fixtureRuns: Readonly<Record<string, Partial<TrainOptions>>> = {
  'ir-net': residual,
  'ir-net-rate': { ...residual, method: 'ir-net', rate: 0.05, warmUpEpochs: 1 },
  recu: residual,
  'ada-bin': residual,
  rbnn: residual,
  'bi-real': { ...residual, schedule: 'cosine', policy: { '1.first': 'float' } },
  'react-net': residual,
  'real-to-binary': residual,
  'group-net-bpac': residual,
  'dorefa-w2a2': residual,
  'xnor-net': { ...residual, shortcut: 'every-conv', activation: 'prelu' },
  'bnn-stochastic': { ...dense, optimizer: 'adam', rate: 0.005 },
  'bnn-stages': { ...dense, method: 'bnn', stages: 'activations-first' },
  'xnor-net-pp': dense,
  guided: dense,
  stages: { ...dense, method: 'bnn', stages: [{ binary: 'none' }, { binary: 'both', teacher: 'previous' }], ema: 0.9 },
  'react-net-stages': { ...residual, method: 'react-net' },
};

export const fixtureData = blobData(8, 48, 24);
const [epochs, batch, stopAfter] = [4, 16, 8];

/** Trains a run, and stops it in its third epoch of four. */
export async function begin(path: string, name: string): Promise<void> {
  const options = { method: name, data: 'blobs', epochs, batch, ...fixtureRuns[name] } as TrainOptions;
  let steps = 0;
  await trainRun(path, options, fixtureData, {
    floatNetworks: false,
    onStep: () => {
      if (++steps === stopAfter) process.emit('SIGINT');
    },
  });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** What a run says of the test images, and what is in its packed file: digests. */
export interface Figures {
  /** Of its logits. */
  readonly outputs: string;
  /** Of the packed network's. */
  readonly packed: string;
  /** Of the tensors of the packed file, whatever their names and order. */
  readonly tensors: string;
}

/** Of the packed network's logits. */
export async function packedOutputs(model: PackedModel): Promise<string> {
  const { images, count } = await new Batches(fixtureData, fixtureData.test, 64).plain(0);
  return sha256(bytesOf(model.run({ data: images, shape: [count, ...fixtureData.shape] })));
}

export async function figuresOf(path: string): Promise<Figures & { readonly file: Uint8Array }> {
  const { network } = loadTrained(path);
  network.setTraining(false);
  const { images, count } = await new Batches(fixtureData, fixtureData.test, 64).plain(0);
  const logits = inference(() => network.forward(new Tensor(images, [count, ...fixtureData.shape])).data.slice());
  const { bytes: file, model } = await packForData(network, fixtureData, { allowFloat: 'all' });
  const { tensors } = readSafetensors(file);
  const weights = [...tensors].filter(([name]) => name !== 'graph').map(([, { data }]) => sha256(bytesOf(data)));
  return {
    outputs: sha256(bytesOf(logits)),
    packed: await packedOutputs(model),
    tensors: sha256(Buffer.from(weights.sort().join())),
    file,
  };
}

/** Continues a run to its end. @returns rates of its last epochs, and a digest of its last weights */
export async function finish(path: string): Promise<{ readonly rates: readonly number[]; readonly end: string }> {
  const folder = new RunFolder(path);
  const config: TrainConfig = folder.readConfig();
  const { network } = await trainRun(path, config, fixtureData, { existing: 'resume' });
  const hash = createHash('sha256');
  for (const { value } of [...network.parameters(), ...network.stateArrays()]) hash.update(bytesOf(value.data));
  return { rates: folder.readMetrics().map(({ rate }) => rate), end: hash.digest('hex').slice(0, 32) };
}
