import type { Network } from '../models/network.ts';
import { BinaryConv2d, withProbe } from '../nn/binary-layers.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What went on in one binary layer during an epoch. */
export interface LayerMetrics {
  readonly layer: string;
  /** Share of latent weights whose sign differs from the last epoch's. */
  readonly signFlips: number;
  /** Share of activations with |x| >= 1 (hardtanh stops them at 1), where clipped estimators pass no gradient further down. */
  readonly saturation: number;
  /** ||w - quantized w|| / ||w||. */
  readonly quantizationError: number;
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

function constantFilters(weights: Float32Array, filters: number): number {
  const negatives = new Uint32Array(filters);
  for (let i = 0; i < weights.length; i++) if (weights[i]! < 0) negatives[i % filters]!++;
  const perFilter = weights.length / filters;
  return negatives.filter((count) => count === 0 || count === perFilter).length / filters;
}

/** Follows the binary layers of a network from epoch to epoch. */
export class LayerObserver {
  private readonly network: Network;
  private readonly names = new Map<BinaryConv2d, string>();
  private readonly lastSigns = new Map<BinaryConv2d, Uint8Array>();
  private readonly gradients = new Map<BinaryConv2d, number>();

  constructor(network: Network) {
    this.network = network;
    for (const { name, value } of network.modules()) {
      if (value instanceof BinaryConv2d)
        this.names.set(
          value,
          name
            .replace(/^body\./, '')
            .replace(/layers\./, '')
            .replace(/\.conv$/, ''),
        );
    }
    for (const layer of this.names.keys()) this.lastSigns.set(layer, this.signs(layer));
  }

  private signs(layer: BinaryConv2d): Uint8Array {
    return Uint8Array.from(layer.weight.data, (w) => Number(w < 0));
  }

  /** Call inside the last step of an epoch, while gradients exist. */
  noteGradients(): void {
    for (const layer of this.names.keys()) this.gradients.set(layer, layer.weight.grad ? norm(layer.weight.grad) : 0);
  }

  /** Runs a few images through the network in evaluation mode and reads every layer. */
  measure(images: Float32Array, count: number): LayerMetrics[] {
    const metrics: LayerMetrics[] = [];
    const { inputShape } = this.network.config;
    this.network.setTraining(false);
    withProbe(
      ({ layer, input, filter }) => {
        const signs = this.signs(layer);
        const before = this.lastSigns.get(layer)!;
        const flipped = signs.reduce((sum, sign, i) => sum + Number(sign !== before[i]), 0);
        this.lastSigns.set(layer, signs);
        const saturated = input.data.reduce((sum, x) => sum + Number(Math.abs(x) >= 1), 0);
        const error = Float32Array.from(layer.weight.data, (w, i) => w - filter.data[i]!);
        metrics.push({
          layer: this.names.get(layer)!,
          signFlips: flipped / signs.length,
          saturation: saturated / input.size,
          quantizationError: norm(error) / Math.max(norm(layer.weight.data), 1e-30),
          gradientNorm: this.gradients.get(layer) ?? 0,
          constantFilters: constantFilters(layer.weight.data, layer.options.outChannels),
        });
      },
      () => inference(() => this.network.forward(new Tensor(images, [count, ...inputShape]))),
    );
    this.network.setTraining(true);
    return metrics;
  }
}
