import { beforeAll, describe, expect, test } from 'vitest';
import type { Kernels } from '../backend/kernels.ts';
import { availableBackends } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { storageLength } from './op.ts';
import { loadPackedModel } from './packed-model.ts';
import { packedNetwork } from './packed-network.testing.ts';

let bytes: Uint8Array;
const images = new Float32Array(3 * 64);
new Random(1).fillNormal(images, 0, 1);

beforeAll(() => {
  bytes = packedNetwork(images);
});

describe.each(availableBackends().map((backend) => [backend.name, backend] as const))('%s', (_name, backend) => {
  test('one image at a time gives the logits of the batch', () => {
    const model = loadPackedModel(bytes, { kernels: backend });
    const together = model.run(images).slice();
    for (let n = 0; n < 3; n++) {
      const alone = model.run(images.subarray(n * 64, (n + 1) * 64));
      for (let c = 0; c < 4; c++) expect(Math.abs(alone[c]! - together[n * 4 + c]!)).toBeLessThan(1e-5);
    }
  });

  test('predicts the classes that the first backend predicts', () => {
    const pixels = Uint8Array.from(images, (v) => Math.min(255, Math.max(0, 128 + 64 * v)));
    const [ours, theirs] = [backend, availableBackends()[0]!].map((kernels) =>
      loadPackedModel(bytes, { kernels }).predict(pixels, 2),
    );
    expect(ours!.map((p) => p[0]!.label)).toEqual(theirs!.map((p) => p[0]!.label));
    expect(ours![0]!.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThanOrEqual(1 + 1e-6);
  });
});

test('values share buffers: less memory, and nothing of one batch is left in the next', () => {
  const model = loadPackedModel(bytes);
  model.run(images);
  const apart = model.steps.reduce((sum, { output }) => sum + 4 * storageLength(output, 3), 0);
  expect(model.activationBytes).toBeLessThan(apart / 2);
  const other = images.map((value) => 1e6 * value * value);
  model.run(other);
  expect(model.run(images)).toEqual(loadPackedModel(bytes).run(images));
});

test('a wrong number of pixels is explained', () => {
  expect(() => loadPackedModel(bytes).run(new Float32Array(65))).toThrow(/not a whole number of \[8,8,1\] images/);
});

test('kernels alone are those that run the model', () => {
  let prepared = 0;
  const [backend] = availableBackends();
  const counting = {
    ...backend!,
    prepareXnorFilter: (...args: Parameters<Kernels['prepareXnorFilter']>) => {
      prepared++;
      backend!.prepareXnorFilter(...args);
    },
  };
  loadPackedModel(bytes, counting);
  expect(prepared).toBeGreaterThan(10);
});
