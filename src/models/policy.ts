import { bitsOf, codedWeights, type Precision, quantizersOf } from '../binarize/precision.ts';
import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import type { Method } from '../methods/method.ts';
import { type BinaryLayer, isBinaryLayer } from '../nn/binary-layer.ts';
import { Conv2d, Linear } from '../nn/layers.ts';
import type { AnyModule, Named } from '../nn/module.ts';
import { layerName } from './layer-names.ts';

/** Precision by layer name; `*` is for all binary layers that are not named. */
export type Policy = Readonly<Record<string, string>>;

/** A layer with weights of its own. */
export type WeightLayer = BinaryLayer | Conv2d | Linear;

/** Every convolution and dense layer of a network, in order, by its short name. */
export function weightLayers(network: AnyModule): Named<WeightLayer>[] {
  return network.modules().flatMap(({ name, value }) => {
    if (!(isBinaryLayer(value) || value instanceof Conv2d || value instanceof Linear)) return [];
    return [{ name: layerName(name), value }];
  });
}

/** Whether single layers of the method can be computed otherwise. @throws UsageError with the reason */
function requireSeparable({ id, update, latentShape, lossTerms, teacher, structure }: Method): void {
  const reason = update
    ? 'its update rule moves the weights of all its layers together'
    : latentShape
      ? 'its latent weights are not those of a filter'
      : structure.activationScale
        ? 'its products are scaled by activations that other layers do not share'
        : teacher === 'joint' && lossTerms
          ? 'its teacher is compared with it layer by layer'
          : null;
  if (reason) throw new UsageError(`--policy does not go with method "${id}": ${reason}`);
}

function setPrecision({ name, value }: Named<WeightLayer>, precision: Precision): void {
  if (isBinaryLayer(value)) {
    const quantizers = quantizersOf(precision);
    if (quantizers) value.requantize(quantizers);
    return;
  }
  const bits = bitsOf(precision);
  if (precision === 'binary' || (bits !== null && bits < 5))
    throw new UsageError(
      `--policy ${name}=${precision}: this layer is full precision in this network; its weights may be float or 5-bit to 8-bit, or binary with --first-last`,
    );
  if (bits !== null) value.quantizeWeight = codedWeights(bits);
}

/**
 * Sets the precision of single layers.
 *
 * @throws UsageError for unknown layers and precisions, and for methods that are one with all their layers
 */
export function applyPolicy(network: AnyModule & { readonly method: Method }, policy: Policy): void {
  const layers = weightLayers(network);
  const names = layers.map(({ name }) => name);
  for (const name of Object.keys(policy))
    if (name !== '*' && !names.includes(name))
      throw new UsageError(
        `--policy: there is no layer "${name}"${suggestion(name, names)}; the layers are ${names.join(', ')}`,
      );
  for (const precision of Object.values(policy)) bitsOf(precision);
  if (Object.values(policy).some((precision) => precision !== 'binary')) requireSeparable(network.method);
  for (const layer of layers) {
    const precision = policy[layer.name] ?? (isBinaryLayer(layer.value) ? policy['*'] : undefined);
    if (precision !== undefined) setPrecision(layer, precision as Precision);
  }
}

/** `1.first=float,*=2-bit`, as `--policy` takes it. */
export const policyText = (policy: Readonly<Record<string, string | number>>): string =>
  Object.entries(policy)
    .map(([layer, precision]) => `${layer}=${precision}`)
    .join(',');
