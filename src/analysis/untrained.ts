import { Random } from '../core/random.ts';
import type { NetworkConfig } from '../models/network.ts';
import { buildNetwork, modelNamed, type OwnParts } from '../models/table.ts';
import { type Packed, type PackOptions, pack } from '../pack/pack.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Plugin } from '../train/plugin.ts';

/** An untrained network as it is at the end of its training, packed: its shapes, sizes and speed are those of a trained one. */
export function packUntrained(
  config: Omit<NetworkConfig, 'seed'>,
  options: Omit<PackOptions, 'ops'>,
  own: Plugin & OwnParts = {},
): Packed {
  const { inputShape } = config;
  const image = new Float32Array(inputShape.reduce((a, b) => a * b));
  new Random(1).fillNormal(image, 0, 1);
  const network = buildNetwork({ ...config, seed: 1 }, undefined, own);
  network.setPointToEnd();
  return pack(network, new Tensor(image, [1, ...inputShape]), { ...options, ops: own.ops });
}

/** The same of a topology by its name, for ten classes of images of its usual size. */
export function packTopology(model: string, method: string, width: number, own: Plugin = {}): Packed {
  const { inputShape } = modelNamed(model, own.models);
  const channels = inputShape[2];
  const options = {
    classes: Array.from({ length: 10 }, (_, i) => `class ${i}`),
    mean: new Array<number>(channels).fill(0.5),
    std: new Array<number>(channels).fill(0.25),
  };
  return packUntrained({ model, method, inputShape, classes: 10, width }, options, own);
}
