import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataSet, PixelSplit } from '../data/dataset.ts';
import { loadMnist } from '../data/mnist.ts';
import { float } from '../methods/float.ts';
import type { Method } from '../methods/method.ts';
import { parseConfig } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { Trainer } from './trainer.ts';

/**
 * What every method must reach on a fixed small task: 1,000 MNIST digits at 14x14 pixels, a VGG of 16 to 64 channels, Adam at 0.005 with a cosine, seed 1;
 * [epochs, % of 500 test digits]. The figures are the worst of seeds 1 to 4, less twelve points: another processor or number of threads rounds
 * otherwise, which moves runs as short as these like another seed, by up to fifteen points. Methods whose weights or activations are drawn at
 * random, or that begin anew in stages, get more epochs; slow ones fewer.
 */
const reaches: Record<string, readonly [epochs: number, percent: number]> = {
  float: [5, 82],
  'binary-connect': [5, 81],
  'binary-connect-stochastic': [20, 53],
  'binary-connect-float-test': [10, 76],
  bitwise: [10, 57],
  'bitwise-sparse': [10, 65],
  bnn: [5, 55],
  'bnn-identity': [5, 67],
  'bnn-stochastic': [15, 61],
  'bnn-shift': [5, 56],
  bwn: [5, 79],
  'xnor-net': [5, 65],
  'xnor-net-no-k': [5, 59],
  dorefa: [5, 79],
  'dorefa-w1a1': [5, 50],
  'dorefa-w1a2': [5, 69],
  'dorefa-w1a2g6': [3, 55],
  'dorefa-w2a2': [5, 70],
  horq: [5, 77],
  'abc-net': [2, 55],
  'abc-net-1x1': [5, 51],
  tsq: [5, 70],
  'tsq-w1a1': [5, 52],
  bwnh: [5, 76],
  'semi-binary': [5, 70],
  pact: [5, 76],
  'pact-w1a2': [5, 73],
  'lq-nets': [2, 52],
  'lq-nets-w2a2': [2, 54],
  'wrpn-2x': [5, 70],
  'wrpn-2x-w1a2': [5, 78],
  'xnor-net-pp': [5, 64],
  'xnor-net-pp-channel': [5, 59],
  'xnor-net-pp-dense': [5, 65],
  'xnor-net-pp-plane': [5, 60],
  syq: [5, 72],
  'syq-row': [5, 71],
  'syq-layer': [5, 58],
  bbg: [5, 58],
  elbnn: [22, 47],
  'real-to-binary': [8, 61],
  'trained-scaling': [12, 69],
  'group-net-layerwise': [5, 71],
  'group-net-groupwise': [5, 75],
  'group-net': [5, 76],
  'group-net-bpac': [5, 63],
  dbnn: [5, 48],
  dq: [5, 80],
  'dq-points': [15, 50],
  'apprentice-a': [5, 53],
  'apprentice-b': [5, 51],
  'apprentice-c': [5, 51],
  lab: [5, 80],
  lab2: [5, 62],
  inq: [5, 76],
  'inq-binary': [5, 75],
  'bnn-dl': [5, 60],
  'ci-bcnn': [5, 56],
  'main-subsidiary': [10, 67],
  'defensive-quantization': [5, 67],
  'bi-real': [5, 58],
  cbcn: [10, 53],
  hwgq: [5, 75],
  'hwgq-w1a1': [5, 51],
  'bnn-plus': [8, 55],
  'bnn-plus-squared': [8, 56],
  dsq: [5, 51],
  bcgd: [5, 80],
  'bcgd-w1a1': [5, 52],
  'prox-quant': [5, 58],
  'quantization-networks': [5, 80],
  'self-binarizing': [8, 44],
  'it-bnn': [28, 41],
  stepping: [15, 63],
  guided: [6, 53],
  'int8-gradients': [5, 55],
  'ir-net': [5, 59],
  'ir-net-resnet20': [5, 60],
  'meta-quant': [5, 82],
  'meta-quant-fc-grad': [5, 80],
  bop: [5, 48],
  'react-net': [8, 61],
  rbnn: [8, 53],
  recu: [8, 64],
  'ada-bin': [5, 63],
};

/** Best broken network, in %, measured 25.5; no method may be near it. */
export const broken = 35;

/** The first images of a split, averaged over 2x2 pixels. */
function halved({ pixels, labels }: PixelSplit, count: number): PixelSplit {
  const small = new Uint8Array(count * 14 * 14);
  for (let i = 0; i < count; i++)
    for (let y = 0; y < 14; y++)
      for (let x = 0; x < 14; x++) {
        const at = (i * 28 + 2 * y) * 28 + 2 * x;
        small[(i * 14 + y) * 14 + x] = (pixels[at]! + pixels[at + 1]! + pixels[at + 28]! + pixels[at + 29]!) >> 2;
      }
  return { count, labels: labels.slice(0, count), pixels: small };
}

let data: DataSet;
let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-accuracy-'));
  const mnist = loadMnist();
  data = { ...mnist, shape: [14, 14, 1], train: halved(mnist.train, 1000), test: halved(mnist.test, 500) };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Run of a float network, trained when the first method asks for it. */
let teacher = '';

/** @returns accuracy in % */
export async function accuracyOf(method: Method, epochs: number): Promise<number> {
  const needsFloat = method.teacher === 'trained' || method.id === 'dq-points';
  if (needsFloat && !teacher) {
    await accuracyOf(float, reaches.float![0]);
    teacher = join(directory, float.id);
  }
  const folder = new RunFolder(join(directory, method.id));
  folder.lock();
  const config = parseConfig({
    model: 'vgg-small',
    width: 0.125,
    method: method.id,
    data: 'mnist',
    epochs,
    batch: 50,
    optimizer: 'adam',
    rate: 0.005,
    schedule: 'cosine',
    loss: 'cross-entropy',
    ...(method.teacher === 'trained' ? { teacher } : {}),
    // quantization points are learned for weights that stay as they are: those of a trained network
    ...(method.id === 'dq-points' ? { init: teacher } : {}),
  });
  const { evaluation } = await new Trainer(config, data, folder).run();
  return 100 * evaluation!.top1;
}

/** A test for each: it reaches what is stated of it. */
export function testThatTheyLearn(learners: readonly Method[]): void {
  test.each(learners.map((method) => [method.id, method] as const))('%s learns to read digits', async (id, method) => {
    const stated = reaches[id];
    if (!stated) throw new Error(`state in \`reaches\` what ${id} reaches, and after how many epochs`);
    const [epochs, percent] = stated;
    expect(percent).toBeGreaterThanOrEqual(broken + 5);
    const accuracy = await accuracyOf(method, epochs);
    expect(accuracy, `${id} reached ${accuracy.toFixed(1)} %`).toBeGreaterThanOrEqual(percent);
  });
}
