import { afterAll, describe, expect, test } from 'vitest';
import { availableBackends, useKernels } from '../backend/select.ts';
import { pack } from '../pack/pack.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { mean } from '../tensor/ops/arithmetic.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { buildNetwork } from './table.ts';

const shape = [8, 8, 1] as const;
const images = (count: number) => new Tensor(new Float32Array(64 * count).fill(0.5), [count, ...shape]);
const backends = availableBackends();
afterAll(() => useKernels(backends[0]!));

describe.each(backends.map((kernels) => ({ name: kernels.name, kernels })))('$name', ({ kernels }) => {
  test.each([
    { model: 'resnet20', method: 'bnn' },
    { model: 'resnet20', method: 'react-net' },
    { model: 'resnet20', method: 'dorefa' },
    { model: 'vgg-small', method: 'xnor-net' },
    { model: 'resnet20', method: 'abc-net' },
    { model: 'sfc', method: 'bnn' },
  ])('no images give no answers: $model, $method', ({ model, method }) => {
    useKernels(kernels);
    const network = buildNetwork({ model, method, inputShape: [...shape], classes: 3, width: 0.125, seed: 1 });
    const statistics = () => network.stateArrays().map(({ value }) => [...value.data]);
    const before = statistics();
    trainingStep(() => {
      const logits = network.forward(images(0));
      expect(logits.shape).toEqual([0, 3]);
      backward(mean(logits));
    });
    expect(statistics()).toEqual(before);
    network.setPoint({ progress: 1, epoch: 1 });
    network.setTraining(false);
    expect(inference(() => network.forward(images(0)).size)).toBe(0);
    const { bytes } = pack(network, images(1), { classes: ['a', 'b', 'c'], mean: [0], std: [1], allowFloat: 'all' });
    const packed = loadPackedModel(bytes);
    expect(packed.run(new Float32Array(0))).toEqual(new Float32Array(0));
    expect(packed.predict(new Uint8Array(0))).toEqual([]);
  });
});
