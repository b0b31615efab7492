import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { buildNetwork } from '../../models/table.ts';
import { softmaxCrossEntropy } from '../../tensor/ops/loss.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { blobData } from '../../train/synthetic.testing.ts';
import { fgsm, gaussianNoise, inputGradient, PixelRange, pgd } from './attacks.ts';
import { attackersOf, robustnessOf, strengths } from './robustness.ts';

const data = blobData();
const size = data.shape.reduce((a, b) => a * b);
const inputShape = [...data.shape] as [number, number, number];
const built = (method: string) =>
  buildNetwork({ model: 'resnet20', method, inputShape, classes: data.classes.length, width: 0.25, seed: 2 });
const pixels = new PixelRange(data);

/** Two images within the pixel range. */
function batch(seed: number) {
  const random = new Random(seed);
  const images = Float32Array.from({ length: 2 * size }, (_, i) => {
    const c = i % data.shape[2];
    return (random.uniform() - data.mean[c]!) / data.std[c]!;
  });
  return { images, labels: [0, 1] };
}

function lossOf(network: ReturnType<typeof built>, images: Float32Array, labels: number[]): number {
  network.setTraining(false);
  return inference(
    () => softmaxCrossEntropy(network.forward(new Tensor(images, [labels.length, ...inputShape])), labels).data[0]!,
  );
}

test('the gradient of the images is that of finite differences', () => {
  const network = built('float');
  const given = batch(1);
  const gradient = inputGradient(network, given);
  const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  for (const at of [3, 17, size + 5, 2 * size - 1]) {
    const [up, down] = [1e-2, -1e-2].map((d) => {
      const moved = given.images.slice();
      moved[at]! += d;
      return lossOf(network, moved, given.labels);
    }) as [number, number];
    expect(Math.abs((up - down) / 2e-2 - gradient[at]!)).toBeLessThan(0.05 * largest);
  }
});

describe.each([
  ['noise', () => gaussianNoise(new Random(1))],
  ['fgsm', () => fgsm],
  ['pgd', () => pgd(new Random(1), 3)],
] as const)('%s', (name, attack) => {
  test('stays within the pixel range, an attack within its strength; strength 0 changes nothing', () => {
    const network = built('bnn');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), fc.constantFrom(0, 0.01, 0.1), (seed, strength) => {
        const given = batch(seed);
        const moved = attack()(network, given, pixels, strength);
        for (let i = 0; i < moved.length; i++) {
          const c = i % data.shape[2];
          const inPixels = (x: number) => x * data.std[c]! + data.mean[c]!;
          expect(inPixels(moved[i]!)).toBeGreaterThan(-1e-5);
          expect(inPixels(moved[i]!)).toBeLessThan(1 + 1e-5);
          const far = Math.abs(inPixels(moved[i]!) - inPixels(given.images[i]!));
          if (name !== 'noise' || strength === 0) expect(far).toBeLessThan(strength + 1e-5);
        }
      }),
      { numRuns: 10 },
    );
  });
});

test('an attack raises the loss where noise of its size does not; ten steps raise it more than one', () => {
  const network = built('float');
  const [given, strength] = [batch(5), 4 / 255];
  const clean = lossOf(network, given.images, given.labels);
  const risen = (images: Float32Array) => lossOf(network, images, given.labels) - clean;
  const [byNoise, byOne, byTen] = [gaussianNoise(new Random(3)), fgsm, pgd(new Random(3))].map((attack) =>
    risen(attack(network, given, pixels, strength)),
  ) as [number, number, number];
  expect(byOne).toBeGreaterThan(3 * Math.abs(byNoise));
  expect(byTen).toBeGreaterThan(0.9 * byOne);
});

test('every disturbance is measured, on the same images for the same network', async () => {
  const network = built('bi-real');
  const first = await robustnessOf(network, data, 40);
  expect(first.images).toBe(40);
  expect(first.under).toHaveLength(Object.values(strengths).flat().length);
  expect(await robustnessOf(network, data, 40)).toEqual(first);
});

test('attacks also go by the clipped slope: the same network, another gradient; a float network has only its own', () => {
  expect(attackersOf(built('float'))).toHaveLength(1);
  const network = built('ir-net');
  network.setPoint({ progress: 1, epoch: 1 });
  const [own, clipped] = attackersOf(network);
  expect(own).toBe(network);
  const given = batch(4);
  expect(lossOf(clipped!, given.images, given.labels)).toBe(lossOf(network, given.images, given.labels));
  // at its end IR-Net's slope passes next to nothing
  const reach = (of: typeof network) => inputGradient(of, given).filter((g) => g !== 0).length;
  expect(reach(clipped!)).toBeGreaterThan(size);
  expect(inputGradient(clipped!, given)).not.toEqual(inputGradient(network, given));
});
