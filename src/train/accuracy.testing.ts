import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataSet, PixelSplit } from '../data/dataset.ts';
import { loadMnist } from '../data/mnist.ts';
import { float } from '../methods/float.ts';
import type { Method } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import { parseConfig } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { trainerFor } from './trainer-for.ts';

/**
 * What every method reaches on a fixed small task: 1,000 MNIST digits at 10x10 pixels, a VGG of 16 to 64 channels, Adam at 0.005 with a cosine, seed 1;
 * [epochs, % of 500 test digits]. Training gives the same bits on every native instruction set and number of threads, so this is what every
 * machine gives. Methods whose weights or activations are drawn at random, or that begin anew in stages, get more epochs; slow ones fewer.
 */
const reaches: Record<string, readonly [epochs: number, percent: number]> = {
  float: [5, 95],
  'binary-connect': [5, 92.8],
  'binary-connect-stochastic': [20, 84],
  'binary-connect-float-test': [10, 90],
  bitwise: [10, 72.6],
  'bitwise-sparse': [10, 81.4],
  bnn: [5, 80.8],
  'bnn-identity': [5, 82.4],
  'bnn-stochastic': [15, 83.6],
  'bnn-shift': [5, 80.2],
  bwn: [5, 91.2],
  'xnor-net': [5, 77.4],
  'xnor-net-no-k': [5, 76],
  'xnor-net-code': [5, 80],
  dorefa: [5, 92.4],
  'dorefa-w1a1': [5, 73],
  'dorefa-w1a2': [5, 84.8],
  'dorefa-w1a2g6': [3, 75.6],
  'dorefa-w2a2': [5, 84.2],
  horq: [5, 89.6],
  'abc-net': [2, 75.4],
  'abc-net-1x1': [5, 69.8],
  tsq: [5, 83.2],
  'tsq-w1a1': [5, 59.2],
  bwnh: [5, 87.6],
  'semi-binary': [5, 84],
  pact: [5, 88.4],
  'pact-w1a2': [5, 84.4],
  'lq-nets': [2, 71],
  'lq-nets-w2a2': [2, 78.4],
  'wrpn-2x': [5, 84.6],
  'wrpn-2x-w1a2': [5, 89.2],
  'xnor-net-pp': [5, 77.6],
  'xnor-net-pp-channel': [5, 76.8],
  'xnor-net-pp-dense': [5, 76.2],
  'xnor-net-pp-plane': [5, 80.6],
  syq: [5, 84.4],
  'syq-row': [5, 86.4],
  'syq-layer': [5, 84.4],
  bbg: [5, 73.8],
  elbnn: [22, 65.2],
  'real-to-binary': [8, 84.8],
  'trained-scaling': [12, 85.4],
  'group-net-layerwise': [5, 84.4],
  'group-net-groupwise': [5, 88.4],
  'group-net': [5, 89],
  'group-net-bpac': [5, 90.4],
  dbnn: [5, 71.4],
  dq: [5, 91.8],
  'dq-points': [5, 64.6],
  'apprentice-a': [5, 71.4],
  'apprentice-b': [5, 68.6],
  'apprentice-c': [5, 68.6],
  lab: [5, 92.6],
  lab2: [5, 77],
  inq: [5, 88],
  'inq-binary': [5, 88],
  'bnn-dl': [5, 75.6],
  'ci-bcnn': [5, 82.6],
  'main-subsidiary': [10, 72.6],
  'defensive-quantization': [5, 83.2],
  'bi-real': [5, 76.6],
  cbcn: [10, 71],
  hwgq: [5, 86.6],
  'hwgq-w1a1': [5, 68.6],
  'bnn-plus': [8, 67.8],
  'bnn-plus-squared': [8, 67.8],
  dsq: [5, 71.6],
  bcgd: [5, 90.2],
  'bcgd-w1a1': [5, 68.2],
  'prox-quant': [5, 73.2],
  'quantization-networks': [5, 89.6],
  'self-binarizing': [8, 67],
  'it-bnn': [28, 57.8],
  stepping: [15, 73],
  guided: [6, 79],
  'int8-gradients': [5, 76.6],
  'ir-net': [5, 80.4],
  'ir-net-resnet20': [5, 77.2],
  'meta-quant': [5, 93.4],
  'meta-quant-fc-grad': [5, 92.6],
  bop: [5, 73.4],
  'react-net': [8, 87.2],
  rbnn: [8, 77],
  'rbnn-code': [40, 79.6],
  recu: [8, 80.2],
  'ada-bin': [5, 78],
  'fda-bnn': [5, 77.2],
  siman: [8, 84.6],
  'lcr-bnn': [5, 79.4],
  rebnn: [8, 84.4],
  biper: [5, 81.4],
  ovsw: [5, 74.8],
  'ab-bnn': [8, 81.4],
};

/** What methods reach in five epochs whose papers have the first and the last layer binary, with these; % of 500 test digits. */
const reachedWithBinaryEnds = {
  bnn: ['binary', 68.6],
  'binary-connect': ['binary', 90.2],
  'meta-quant': ['binary-biased', 80.6],
} as const;

/** Points that may be lost where a change of a method or of a sum's order moves all runs a little: none of them depends on the machine. */
const margin = 8;

/** Where one seed in a few goes astray for reasons of the method's own: the median of seeds 1 to 3 counts, and is stated. */
const byMedian: ReadonlySet<string> = new Set(['main-subsidiary']);

/** Best broken network, in %, measured 25.5; no method may be near it. */
export const broken = 35;

/** Pixels of a side: MNIST's digits fill the middle 20x20, which is averaged over 2x2. */
const side = 10;

/** The first images of a split. */
function small({ pixels, labels }: PixelSplit, count: number): PixelSplit {
  const averages = new Uint8Array(count * side * side);
  for (let i = 0; i < count; i++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = (i * 28 + 4 + 2 * y) * 28 + 4 + 2 * x;
        averages[(i * side + y) * side + x] =
          (pixels[at]! + pixels[at + 1]! + pixels[at + 28]! + pixels[at + 29]!) >> 2;
      }
  return { count, labels: labels.slice(0, count), pixels: averages };
}

let data: DataSet;
let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-accuracy-'));
  const mnist = loadMnist();
  data = { ...mnist, shape: [side, side, 1], train: small(mnist.train, 1000), test: small(mnist.test, 500) };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Run of a float network, trained when the first method asks for it. */
let teacher = '';

/**
 * @param firstLast float in all rows: sixteen binary filters of one gray channel would hide the rest of a method
 * @returns accuracy in %
 */
export async function accuracyOf(
  method: Method,
  epochs: number,
  seed = 1,
  firstLast: 'float' | 'binary' | 'binary-biased' = 'float',
): Promise<number> {
  const needsFloat = method.teacher === 'trained' || method.id === 'dq-points';
  if (needsFloat && !teacher) {
    await accuracyOf(float, reaches.float![0]);
    teacher = join(directory, float.id);
  }
  const name = [method.id, ...(seed === 1 ? [] : [seed]), ...(firstLast === 'float' ? [] : [firstLast])].join('-');
  const folder = new RunFolder(join(directory, name));
  const config = parseConfig({
    model: 'vgg-small',
    width: 0.125,
    method: method.id,
    data: 'mnist',
    epochs,
    seed,
    batch: 50,
    optimizer: 'adam',
    rate: 0.005,
    weightDecay: 0,
    schedule: 'cosine',
    loss: 'cross-entropy',
    ...(method.structure.firstLast ? { firstLast } : {}),
    ...(method.teacher === 'trained' ? { teacher } : {}),
    // quantization points are learned for weights that stay as they are: those of a trained network
    ...(method.id === 'dq-points' ? { init: teacher } : {}),
  });
  const { evaluation } = await folder.whileLocked(() => trainerFor(config, data, folder).run());
  return 100 * evaluation!.top1;
}

/** A test for each: it reaches what is stated of it. */
export function testThatTheyLearn(learners: readonly Method[]): void {
  test.each(learners.map((method) => [method.id, method] as const))('%s learns to read digits', async (id, method) => {
    const stated = reaches[id];
    if (!stated) throw new Error(`state in \`reaches\` what ${id} reaches, and after how many epochs`);
    const [epochs, percent] = stated;
    expect(percent - margin).toBeGreaterThanOrEqual(broken + 5);
    const seeds = byMedian.has(id) ? [1, 2, 3] : [1];
    const reached: number[] = [];
    for (const seed of seeds) reached.push(await accuracyOf(method, epochs, seed));
    const accuracy = reached.toSorted((a, b) => a - b)[(seeds.length - 1) / 2]!;
    expect(
      accuracy,
      `${id} reached ${reached.map((one) => one.toFixed(1)).join(', ')} %, not about ${percent}`,
    ).toBeGreaterThanOrEqual(percent - margin);
  });
}

export function testThatTheyLearnWithBinaryEnds(): void {
  test.each(Object.entries(reachedWithBinaryEnds))(
    '%s with binary first and last layers learns',
    async (id, [ends, percent]) => {
      const method = methodNamed(id);
      expect(method.structure.firstLast).toBe(ends);
      expect(await accuracyOf(method, 5, 1, ends)).toBeGreaterThanOrEqual(percent - margin);
    },
  );
}
