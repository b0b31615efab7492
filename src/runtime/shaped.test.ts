import { beforeAll, expect, test } from 'vitest';
import { evaluatePacked } from '../analysis/packed-evaluation.ts';
import { Random } from '../core/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import { blobData } from '../train/synthetic.testing.ts';
import { loadPackedModel, type PackedModel } from './packed-model.ts';
import { packedNetwork } from './packed-network.testing.ts';
import { PackedEnsemble } from './vote.ts';

const images = new Float32Array(4 * 64);
new Random(1).fillNormal(images, 0, 1);
let model: PackedModel;
beforeAll(() => {
  model = loadPackedModel(packedNetwork(images));
});

test('images that tell their shape are never taken for several smaller ones', () => {
  const pixels = new Uint8Array(256);
  for (const shape of [
    [16, 16, 1],
    [1, 16, 16, 1],
    [8, 8, 4],
    [4, 64],
    [3, 8, 8, 1],
  ]) {
    expect(() => model.run({ data: images, shape })).toThrow(/the model takes \[N,8,8,1\]; decode or resize/);
    expect(() => model.predict({ data: pixels, shape })).toThrow(/images of shape .*, 256 values/);
    expect(() => new PackedEnsemble([model], [1], 'soft').run({ data: images, shape })).toThrow(/the model takes/);
  }
});

test('with their right shape, or as a tensor, they give what the array alone does', () => {
  const alone = model.run(images).slice();
  expect(model.run(new Tensor(images, [4, 8, 8, 1]))).toEqual(alone);
  expect(model.run({ data: images.subarray(0, 64), shape: [8, 8, 1] }).length).toBe(4);
});

test('a packed model is not judged on images of another size or channel count', async () => {
  await expect(async () => evaluatePacked(model, blobData(16))).rejects.toThrow(
    /takes images of 8x8x1, blobs has 16x16x1/,
  );
  const blobs = blobData(4);
  const coloured = { ...blobs, shape: [4, 4, 4] as const };
  await expect(async () => evaluatePacked(model, coloured)).rejects.toThrow(/blobs has 4x4x4/);
});

test('bytes may come as a canvas or fetch gives them; arrays of other kinds are explained', () => {
  const pixels = Uint8Array.from({ length: 256 }, (_, i) => i);
  const [expected, logits] = [model.predict(pixels), model.run(images).slice()];
  expect(model.predict(new Uint8ClampedArray(pixels))).toEqual(expected);
  expect(model.predict(pixels.slice().buffer)).toEqual(expected);
  expect(model.predict({ data: new Uint8ClampedArray(pixels), shape: [4, 8, 8, 1] })).toEqual(expected);
  expect(model.run(images.slice().buffer)).toEqual(logits);
  expect(() => model.predict(images as unknown as Uint8Array)).toThrow(/got a Float32Array; run\(\) takes normalised/);
  expect(() => model.run(pixels as unknown as Float32Array)).toThrow(/got a Uint8Array; predict\(\) takes pixels/);
  expect(() => model.run([...images] as unknown as Float32Array)).toThrow(/images: expected bytes .* got object/);
  expect(() => model.predict('cat.jpg' as unknown as Uint8Array)).toThrow(/read the file first/);
});
