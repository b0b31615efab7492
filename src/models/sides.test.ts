import { expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { pack } from '../pack/pack.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { backward, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { buildNetwork, models } from './table.ts';

/** Pixels beyond the smallest side. `.ci/run` sets SIGNUM_EVERY_SIDE and gets all of them. */
const most = 40;
const extras = process.env['SIGNUM_EVERY_SIDE'] ? Array.from({ length: most + 1 }, (_, i) => i) : [0, 1, 6, 19, most];
/** Of each kind of structure one: order, shortcuts, activations and scales differ. Neighbouring sides get another, and odd and even ones all. */
const methods = ['bnn', 'bi-real', 'react-net', 'xnor-net'];
const methodAt = (extra: number) => methods[(extra + (extra >> 2)) % methods.length]!;

const classes = ['a', 'b', 'c'];
const labels = Uint16Array.of(0, 2);

test.each(models)('$id builds, learns and packs bit for bit at any side', ({ id, smallestSide, inputShape }) => {
  const channels = inputShape[2];
  const [mean, std] = [new Array<number>(channels).fill(0), new Array<number>(channels).fill(1)];
  for (const extra of extras) {
    const side = smallestSide + extra;
    const shape = [side, side, channels] as const;
    const method = methodAt(extra);
    const at = `${id}, ${method}, side ${side}`;
    const network = buildNetwork({ model: id, method, inputShape: shape, classes: 3, width: 1 / 8, seed: 1 });
    network.setPoint({ progress: 1, epoch: 1 });
    const pixels = new Float32Array(labels.length * side * side * channels);
    new Random(extra).fillNormal(pixels, 0, 1);
    const images = new Tensor(pixels, [labels.length, ...shape]);
    trainingStep(() => {
      const loss = softmaxCrossEntropy(network.forward(images), labels);
      expect(loss.data[0], at).toBeGreaterThan(0);
      backward(loss);
      for (const { name, value } of network.parameters())
        expect(value.grad?.every(Number.isFinite) ?? true, `${at}: gradient of ${name}`).toBe(true);
    });
    expect(pack(network, images, { classes, mean, std }).model.graph.input, at).toEqual(shape);
  }
});

test.each(models)('$id takes images of one odd and one even side too', ({ id, smallestSide, inputShape }) => {
  const shape = [smallestSide + 9, smallestSide + 2, inputShape[2]] as const;
  const network = buildNetwork({ model: id, method: 'bi-real', inputShape: shape, classes: 3, width: 1 / 8, seed: 1 });
  const image = new Tensor(new Float32Array(shape[0] * shape[1] * shape[2]).fill(0.5), [1, ...shape]);
  const [mean, std] = [new Array<number>(shape[2]).fill(0), new Array<number>(shape[2]).fill(1)];
  expect(pack(network, image, { classes, mean, std }).model.run(image.data)).toHaveLength(3);
});
