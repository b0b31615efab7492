import { kernels } from '../backend/select.ts';
import { differingBits, wordsPerRow } from '../core/bits.ts';
import { layerName } from '../models/layer-names.ts';
import type { Network } from '../models/network.ts';
import { type BinaryLayer, binaryLayersOf, withProbe } from '../nn/binary-layer.ts';
import { effectiveWeights } from '../nn/product.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { EpochSigns } from './checkpoint.ts';

/** Images that a measurement looks at. */
const measuredImages = 64;

/** What went on in one binary layer during an epoch. */
export interface LayerMetrics {
  readonly layer: string;
  /** Share of latent weights whose sign differs from the last epoch's. */
  readonly signFlips: number;
  /** Share of activations with |x| >= 1 (hardtanh stops them at 1), where clipped estimators pass no gradient further down; none of pixels. */
  readonly saturation: number;
  /** ||w - quantized w|| / ||w||; null where the filter has other weights than the latent ones (CBCN's turned copies). */
  readonly quantizationError: number | null;
  /** Share of latent weights with |w| > 1, where a clipped weight estimator gives no gradient: they never return. Absent in older logs. */
  readonly stuckWeights?: number;
  /** L2 norm of the last gradient of the latent weights. */
  readonly gradientNorm: number;
  /** Share of filters whose weights all have one sign. */
  readonly constantFilters: number;
}

function norm(values: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! * values[i]!;
  return Math.sqrt(squares);
}

/** ||a - b|| / ||a|| */
function relativeDistance(a: Float32Array, b: Float32Array): number | null {
  if (a.length !== b.length) return null;
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(squares) / Math.max(norm(a), 1e-30);
}

/** One bit per value. */
function packedSigns(values: Float32Array): Uint32Array {
  const words = new Uint32Array(wordsPerRow(values.length));
  kernels().packSigns(values, words, 1, values.length);
  return words;
}

function shareSaturated(values: Float32Array): number {
  let saturated = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) >= 1) saturated++;
  return saturated / values.length;
}

function shareBeyondOne(values: Float32Array): number {
  let beyond = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > 1) beyond++;
  return beyond / values.length;
}

function constantFilters(weights: Float32Array, filters: number): number {
  const negatives = new Uint32Array(filters);
  for (let i = 0; i < weights.length; i++) if (weights[i]! < 0) negatives[i % filters]!++;
  const perFilter = weights.length / filters;
  return negatives.filter((count) => count === 0 || count === perFilter).length / filters;
}

/** Follows the binary layers of a network from epoch to epoch. */
export class LayerObserver {
  private readonly network: Network;
  private readonly names = new Map<BinaryLayer, string>();
  private readonly lastSigns = new Map<BinaryLayer, Uint32Array>();
  private readonly gradients = new Map<BinaryLayer, number>();

  constructor(network: Network) {
    this.network = network;
    for (const { name, value } of binaryLayersOf(network)) this.names.set(value, layerName(name));
    for (const layer of this.names.keys()) this.lastSigns.set(layer, packedSigns(layer.weight.data));
  }

  /** Signs of the latent weights by layer name, as of the last measurement. */
  get signs(): EpochSigns {
    return new Map([...this.names].map(([layer, name]) => [name, this.lastSigns.get(layer)!]));
  }

  /** Continues from the signs of an interrupted run, so that its epoch's flips count from where the epoch began. */
  restoreSigns(signs: EpochSigns): void {
    for (const [layer, name] of this.names) {
      const stored = signs.get(name);
      const current = packedSigns(layer.weight.data);
      this.lastSigns.set(layer, stored?.length === current.length ? Uint32Array.from(stored) : current);
    }
  }

  /** Call inside the last step of an epoch, while gradients exist. */
  noteGradients(): void {
    for (const layer of this.names.keys()) this.gradients.set(layer, layer.weight.grad ? norm(layer.weight.grad) : 0);
  }

  /** By layer name; what `noteGradients` found. */
  get gradientNorms(): Record<string, number> {
    return Object.fromEntries([...this.gradients].map(([layer, value]) => [this.names.get(layer)!, value]));
  }

  restoreGradients(norms: Readonly<Record<string, number>>): void {
    for (const [layer, name] of this.names) if (norms[name] !== undefined) this.gradients.set(layer, norms[name]);
  }

  /** Runs the first images of a batch through the network in evaluation mode and reads every layer. */
  measure(batch: { readonly images: Float32Array; readonly count: number }): LayerMetrics[] {
    const count = Math.min(measuredImages, batch.count);
    const images = batch.images.subarray(0, (batch.images.length / batch.count) * count);
    const metrics: LayerMetrics[] = [];
    const { inputShape } = this.network.config;
    this.network.setTraining(false);
    withProbe(
      ({ layer, input, filter }) => {
        const weights = layer.weight.data;
        const signs = packedSigns(weights);
        const flipped = differingBits(signs, this.lastSigns.get(layer)!);
        this.lastSigns.set(layer, signs);
        metrics.push({
          layer: this.names.get(layer)!,
          signFlips: flipped / weights.length,
          saturation: layer.pixels ? 0 : shareSaturated(input.data),
          quantizationError: relativeDistance(weights, effectiveWeights(filter)),
          stuckWeights: this.network.method.clippedWeightEstimator ? shareBeyondOne(weights) : 0,
          gradientNorm: this.gradients.get(layer) ?? 0,
          constantFilters: constantFilters(weights, layer.options.outChannels),
        });
      },
      () => inference(() => this.network.forward(new Tensor(images, [count, ...inputShape]))),
    );
    this.network.setTraining(true);
    return metrics;
  }
}
