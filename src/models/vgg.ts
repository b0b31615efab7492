import { BatchNorm } from '../nn/batch-norm.ts';
import { Lambda, Linear } from '../nn/layers.ts';
import { type Module, Sequential } from '../nn/module.ts';
import { flatten } from '../tensor/ops/shape.ts';
import type { BuildContext } from './network.ts';
import { Stem } from './stem.ts';
import { ConvUnit, DenseUnit } from './units.ts';

/**
 * VGG-Small: 2x128C3 - pool - 2x256C3 - pool - 2x512C3 - pool - FC; first conv and last dense layer in float
 * (Zhang et al., ECCV 2018 (LQ-Nets); survey Table 3).
 */
export function vggSmall({ config, method, quantization, random }: BuildContext): Module {
  const [height, width, inChannels] = config.inputShape;
  const channels = (c: number) => Math.max(1, Math.round(c * config.width));
  const unit = (from: number, to: number, pool?: number) =>
    new ConvUnit(
      { inChannels: channels(from), outChannels: channels(to), kernel: 3, pad: 1, ...(pool ? { pool } : {}) },
      method.structure,
      quantization,
      random,
    );
  const features = (height >> 3) * (width >> 3) * channels(512);
  return new Sequential([
    new Stem({ inChannels, outChannels: channels(128), kernel: 3, pad: 1, clamp: [-1, 1] }, random),
    unit(128, 128, 2),
    unit(128, 256),
    unit(256, 256, 2),
    unit(256, 512),
    unit(512, 512, 2),
    new Lambda(flatten),
    ...(method.structure.order === 'bn-conv' ? [new BatchNorm(features)] : []),
    new Linear(features, config.classes, random),
  ]);
}

/**
 * FINN's CNV: 64C3-64C3-P2-128C3-128C3-P2-256C3-256C3-512-512-classes without padding; images are padded to 32 pixels by the
 * first layer, which is float; all others are binary (Umuroglu et al., FPGA 2017, sec. 5.1).
 */
export function cnv6({ config, method, quantization, random }: BuildContext): Module {
  const [height, , inChannels] = config.inputShape;
  const channels = (c: number) => Math.max(1, Math.round(c * config.width));
  const pad = Math.max(0, Math.ceil((32 - height) / 2));
  const unit = (from: number, to: number, pool?: number) =>
    new ConvUnit(
      { inChannels: channels(from), outChannels: channels(to), kernel: 3, ...(pool ? { pool } : {}) },
      method.structure,
      quantization,
      random,
    );
  const dense = (from: number, to: number, last = false) =>
    new DenseUnit(from, to, last, method.structure, quantization, random);
  const shrink = (size: number) => ((((size - 4) >> 1) - 4) >> 1) - 4;
  const side = shrink(height + 2 * pad);
  return new Sequential([
    new Stem({ inChannels, outChannels: channels(64), kernel: 3, pad, clamp: [-1, 1] }, random),
    unit(64, 64, 2),
    unit(64, 128),
    unit(128, 128, 2),
    unit(128, 256),
    unit(256, 256),
    new Lambda(flatten),
    dense(side * side * channels(256), channels(512)),
    dense(channels(512), channels(512)),
    dense(channels(512), config.classes, true),
  ]);
}
