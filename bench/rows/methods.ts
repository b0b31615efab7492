import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSet, PixelSplit } from '../../src/data/dataset.ts';
import type { Method } from '../../src/methods/method.ts';
import { methods } from '../../src/methods/table.ts';
import { parseConfig } from '../../src/train/config.ts';
import { RunFolder } from '../../src/train/run-folder.ts';
import { trainerFor } from '../../src/train/trainer-for.ts';
import { faster, type Row } from '../harness.ts';

const batch = 32;
const steps = 12;
const warmUp = 3;

function randomSplit(count: number): PixelSplit {
  return {
    count,
    labels: Uint16Array.from({ length: count }, (_, i) => i % 10),
    pixels: new Uint8Array(count * 3072).map(() => Math.random() * 256),
  };
}

const data: DataSet = {
  name: 'random',
  shape: [32, 32, 3],
  classes: Array.from({ length: 10 }, (_, i) => String(i)),
  train: randomSplit(batch * steps),
  test: randomSplit(1),
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
};

/** Milliseconds of a training step, mean over the stages of the method (all of them are passed in the few steps). */
async function stepTime(method: string, folder: string, teacher?: string): Promise<number> {
  const config = parseConfig({
    model: 'resnet20',
    method,
    data: 'random',
    epochs: 1,
    batch,
    ...(teacher ? { teacher } : {}),
  });
  const trainer = trainerFor(config, data, new RunFolder(folder));
  new RunFolder(folder).lock();
  const times: number[] = [];
  let last = performance.now();
  await trainer.run({
    shouldStop: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      return false;
    },
  });
  // without the longest one: some methods solve for their weights once in a training, which is no step's cost
  const steady = times
    .slice(warmUp, steps)
    .sort((a, b) => a - b)
    .slice(0, -1);
  return steady.reduce((sum, time) => sum + time, 0) / steady.length;
}

function methodRow({ id, teacher }: Method): Row {
  return {
    name: `method-${id}`,
    run: async () => {
      const directory = mkdtempSync(join(tmpdir(), 'signum-bench-'));
      try {
        const trained = teacher === 'trained' ? join(directory, 'teacher') : undefined;
        if (trained) await stepTime('float', trained);
        // in turns, against the drift of the machine
        const before = await stepTime('bnn', join(directory, 'before'));
        const ours = await stepTime(id, join(directory, 'ours'), trained);
        const after = await stepTime('bnn', join(directory, 'after'));
        return [
          faster(`training step of ${id}, resnet20, batch ${batch}`, 'bnn', ours, (before + after) / 2, 'ms', 0.5, 2),
        ];
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  };
}

/** Every method with 1-bit weights and activations against the simplest of them: at most twice its time. */
export const methodRows: Row[] = methods
  .filter(({ id, bits }) => bits.weight === 1 && bits.activation === 1 && id !== 'bnn')
  .map(methodRow);
