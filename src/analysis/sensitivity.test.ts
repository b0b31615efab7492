import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Network } from '../models/network.ts';
import { parseConfig } from '../train/config.ts';
import { RunFolder } from '../train/run-folder.ts';
import { blobData } from '../train/synthetic.testing.ts';
import { trainerFor } from '../train/trainer-for.ts';
import { proposePolicy, SensitivityBench, type Variant } from './sensitivity.ts';

const data = blobData();
let directory = '';
let network: Network;
let accuracy = 0;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signum-sensitivity-'));
  const folder = new RunFolder(directory);
  folder.lock();
  const config = parseConfig({
    model: 'vgg-small',
    width: 0.125,
    method: 'bnn',
    data: 'blobs',
    epochs: 4,
    batch: 32,
    optimizer: 'adam',
    rate: 0.003,
  });
  const result = await trainerFor(config, data, folder).run();
  network = result.network;
  accuracy = result.evaluation!.top1;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const bench = (precisions: string[], method?: string) =>
  new SensitivityBench(network, data, { precisions, images: 64, calibration: 4, ...(method ? { method } : {}) });

test('every binary layer is switched to every other precision; floats cost more bytes than bits', async () => {
  const { base, switched } = await bench(['binary', '8-bit', 'float']).measure();
  expect(base.layer).toBeNull();
  // only batch-norm's statistics were renewed
  expect(Math.abs(base.accuracy - accuracy)).toBeLessThan(0.15);
  expect(switched.map(({ layer, precision }) => `${layer} ${precision}`)).toEqual(
    ['0', '1', '2', '3', '4', '5', '7'].flatMap((layer) => [`${layer} 8-bit`, `${layer} float`]),
  );
  for (const variant of switched) {
    expect(Number.isFinite(variant.loss)).toBe(true);
    expect(variant.milliseconds).toBeGreaterThan(0);
    expect(variant.bytes).toBeGreaterThan(base.bytes);
  }
});

test('a network of other blocks is refused with the options that make it the same', async () => {
  await expect(bench(['binary'], 'xnor-net').measure()).rejects.toThrow(
    /order "bn-conv", the run "conv-bn".*--block-order bn-conv/,
  );
});

test('P: a proposed policy stays within its budget; without a limit every layer gets what loses least', () => {
  const variant = (layer: string | null, precision: string | null) =>
    fc.record({
      layer: fc.constant(layer),
      precision: fc.constant(precision),
      loss: fc.double({ min: 0.1, max: 3, noNaN: true }),
      accuracy: fc.constant(0),
      bytes: fc.integer({ min: 1000, max: 9000 }),
      milliseconds: fc.constant(1),
    });
  const layers = ['a', 'b', 'c'];
  const switched = fc.tuple(...layers.flatMap((layer) => [variant(layer, '8-bit'), variant(layer, 'float')]));
  fc.assert(
    fc.property(variant(null, null), switched, fc.integer({ min: 500, max: 30_000 }), (base, variants, bytes) => {
      const costOf = (layer: string, precision: string) =>
        (variants as Variant[]).find((v) => v.layer === layer && v.precision === precision)?.bytes ?? base.bytes;
      const policy = proposePolicy({ base, switched: variants }, 'binary', { bytes });
      const least = layers.reduce(
        (sum, layer) => sum + Math.min(...['binary', '8-bit', 'float'].map((p) => costOf(layer, p))) - base.bytes,
        base.bytes,
      );
      if (policy === null) {
        expect(least).toBeGreaterThan(bytes);
        return;
      }
      const total = layers.reduce((sum, layer) => sum + costOf(layer, policy[layer]!) - base.bytes, base.bytes);
      expect(total).toBeLessThanOrEqual(bytes);
      const free = proposePolicy({ base, switched: variants }, 'binary', {})!;
      for (const layer of layers) {
        const lossOf = (precision: string) =>
          (variants as Variant[]).find((v) => v.layer === layer && v.precision === precision)?.loss ?? base.loss;
        expect(lossOf(free[layer]!)).toBe(Math.min(...['binary', '8-bit', 'float'].map(lossOf)));
      }
    }),
  );
});
