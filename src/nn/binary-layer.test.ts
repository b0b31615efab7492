import { expect, test } from 'vitest';
import { lint } from '../analysis/lint.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import type { WeightQuantizer } from '../binarize/weights.ts';
import type { Random } from '../core/random.ts';
import { bnn } from '../methods/bnn.ts';
import type { Method } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import { Network } from '../models/network.ts';
import { weightLayers } from '../models/policy.ts';
import { buildNetwork } from '../models/table.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseConfig } from '../train/config.ts';
import { LayerObserver } from '../train/layer-metrics.ts';
import { TrainingStep } from '../train/step.ts';
import { BatchNorm } from './batch-norm.ts';
import { type BinaryLayer, binaryLayersOf, observe } from './binary-layer.ts';
import type { Quantization } from './binary-layers.ts';
import { flattenLayer, heNormal, Linear } from './layers.ts';
import { Module, type Parameter, Sequential } from './module.ts';
import { binaryProduct } from './product.ts';

/** A kind of binary layer that this package does not have: it knows the methods' quantizers, and none of our layers. */
class Foreign extends Module implements BinaryLayer {
  readonly weight: Parameter;
  readonly learned = {};
  readonly kept = {};
  readonly pixels = false;
  readonly options: BinaryLayer['options'];
  private readonly quantization: Quantization;
  private quantizeWeight: WeightQuantizer;
  private quantizeInput = binarizeActivation(clippedSte);

  constructor(inChannels: number, outChannels: number, quantization: Quantization, random: Random) {
    super();
    this.options = { inChannels, outChannels, kernel: 3, pad: 1 };
    this.quantization = quantization;
    this.quantizeWeight = quantization.weight;
    this.weight = heNormal([3, 3, inChannels, outChannels], random, 'latent');
  }

  override forward(x: Tensor): Tensor {
    const { context } = this.quantization;
    const [filter, activation] = [this.quantizeWeight(this.weight, context), this.quantizeInput(x, context)];
    observe({ layer: this, input: x, activation, filter });
    return binaryProduct(activation, filter, this.options);
  }

  requantize({ weight, activation }: Parameters<BinaryLayer['requantize']>[0]): void {
    this.quantizeWeight = weight;
    this.quantizeInput = activation as typeof this.quantizeInput;
  }

  start(): void {}
}

const config = { model: 'vgg-small', method: 'bnn', inputShape: [6, 6, 8], classes: 3, width: 1, seed: 1 } as const;

function foreignNetwork(method: Method, policy?: Record<string, string>): { network: Network; layer: Foreign } {
  const network = new Network({ ...config, policy }, method, ({ quantization, random }) => {
    const layer = new Foreign(8, 32, quantization, random);
    return new Sequential([layer, new BatchNorm(32), flattenLayer(), new Linear(6 * 6 * 32, 3, random)]);
  });
  return { network, layer: binaryLayersOf(network)[0]!.value as Foreign };
}

const batch = () => randomTensor([4, 6, 6, 8], 3);
const options = { model: 'vgg-small', method: 'bnn', data: 'x', epochs: 1, batch: 4 } as const;

function stepped(network: Network, more: Partial<Parameters<typeof parseConfig>[0]> = {}): LayerObserver {
  const observer = new LayerObserver(network);
  const step = new TrainingStep(
    network,
    null,
    network.method.defaults.optimizer,
    new Map(),
    parseConfig({ ...options, ...more }),
  );
  const events = { onLoss: () => {}, onGradients: () => observer.noteGradients() };
  step.run(batch(), { labels: Uint16Array.from([0, 1, 2, 0]) }, { progress: 0, epoch: 0, rate: 0.01, step: 1 }, events);
  return observer;
}

test("a stranger's binary layer is measured", () => {
  const { network, layer } = foreignNetwork(bnn);
  const observer = stepped(network);
  expect(Object.keys(observer.gradientNorms)).toEqual(['0']);
  expect(observer.gradientNorms['0']).toBeGreaterThan(0);
  for (let i = 0; i < layer.weight.size / 2; i++) layer.weight.data[i] = -layer.weight.data[i]!;
  const [measured, ...others] = observer.measure({ images: batch().data, count: 4 });
  expect(others).toEqual([]);
  expect(measured).toMatchObject({ layer: '0' });
  expect(measured!.signFlips).toBeGreaterThan(0.4);
  expect(measured!.saturation).toBeGreaterThan(0.2);
  expect(measured!.quantizationError).toBeGreaterThan(0);
});

test('its latent weights are clipped where the method clips them', () => {
  const most = (clipLatent: boolean) => {
    const { network, layer } = foreignNetwork(bnn);
    layer.weight.data[0] = 5;
    stepped(network, { clipLatent });
    return layer.weight.data[0];
  };
  expect(most(true)).toBe(1);
  expect(most(false)).toBeGreaterThan(4);
});

test('update rules get it, before and after the step', () => {
  const seen: string[] = [];
  const update: Method['update'] = {
    beforeStep: (layers) => {
      seen.push(`before ${layers.length} ${layers[0]!.weight.grad !== null}`);
      layers[0]!.weight.grad!.fill(0);
    },
    afterStep: (layers) => {
      seen.push(`after ${layers.length}`);
      layers[0]!.weight.data.fill(0.5);
    },
  };
  const { network, layer } = foreignNetwork({ ...bnn, update });
  stepped(network);
  expect(seen).toEqual(['before 1 true', 'after 1']);
  expect(new Set(layer.weight.data)).toEqual(new Set([0.5]));
});

test('lint judges its weights and its log', () => {
  const { network } = foreignNetwork({ ...bnn, clippedWeightEstimator: true });
  const decayed = parseConfig({ ...options, optimizer: 'sgd', weightDecay: 1e-3, clipLatent: false });
  const rules = lint(network, decayed).map(({ rule, where }) => [rule, where]);
  expect(rules).toContainEqual(['latent-weight-decay', expect.stringContaining('0.001')]);
  expect(rules).toContainEqual(['unclipped-latents', 'bnn']);
  expect(rules).toContainEqual(['odd-channels', '0']);
  expect(rules).toContainEqual(['first-layer-binarized', '0']);
  // without it there is nothing latent to judge
  const none = new Network(config, bnn, ({ random }) => new Sequential([flattenLayer(), new Linear(288, 3, random)]));
  expect(lint(none, decayed).map(({ rule }) => rule)).not.toContain('latent-weight-decay');
});

test('policies name it and change it', () => {
  const { network } = foreignNetwork(bnn, { '*': 'float' });
  expect(weightLayers(network).map(({ name }) => name)).toEqual(['0', '3']);
  expect(inference(() => network.forward(batch()).data.slice())).not.toEqual(
    inference(() => foreignNetwork(bnn).network.forward(batch()).data.slice()),
  );
});

test('a layer of other precision keeps the dilations that it is summed over', () => {
  const first = methodNamed('group-net-bpac', 1);
  expect(first.structure.dilations).toBe(2);
  const ofPrecision = (policy: Record<string, string>) =>
    buildNetwork({
      ...config,
      model: 'resnet20',
      inputShape: [8, 8, 3],
      width: 0.25,
      method: first.id,
      revision: 1,
      policy,
    });
  const network = ofPrecision({ '*': 'float' });
  const { value: layer } = binaryLayersOf(network)[0]!;
  const x = randomTensor([1, 8, 8, layer.options.inChannels], 4);
  const y = inference(() => layer.forward(x).data.slice());
  const { inChannels, outChannels } = layer.options;
  const at = [3, 4, 1] as const;
  let expected = 0;
  for (const dilation of [1, 2])
    for (let ky = -1; ky <= 1; ky++)
      for (let kx = -1; kx <= 1; kx++)
        for (let i = 0; i < inChannels; i++) {
          const [iy, ix] = [at[0] + dilation * ky, at[1] + dilation * kx];
          if (iy < 0 || iy > 7 || ix < 0 || ix > 7) continue;
          const w = layer.weight.data[(((ky + 1) * 3 + kx + 1) * inChannels + i) * outChannels + at[2]]!;
          expected += w * x.data[(iy * 8 + ix) * inChannels + i]!;
        }
  expect(y[(at[0] * 8 + at[1]) * outChannels + at[2]]).toBeCloseTo(expected, 4);
});
