import {
  batchNorm,
  channelAffine,
  type Epilogue,
  exactNorm,
  foldBatchNorm,
  type NormRule,
} from '../tensor/ops/normalise.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type AnyModule, Module, Parameter, StateArray } from './module.ts';

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** Share of the new batch in the running averages. */
  readonly momentum?: number;
  /** False: normalise only, without learned scale and shift. */
  readonly affine?: boolean;
  /** Exact, or by powers of two (`shiftNorm`). */
  readonly rule?: NormRule;
}

/** Batch normalisation over all axes but the last; in evaluation one affine map per channel from running statistics. */
export class BatchNorm extends Module {
  readonly gamma: Parameter;
  readonly beta: Parameter;
  readonly runningMean: StateArray;
  readonly runningVariance: StateArray;
  readonly epsilon: number;
  momentum: number;
  private readonly rule: NormRule;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    this.gamma = new Parameter(new Float32Array(channels).fill(1), [channels], 'scale');
    this.beta = new Parameter(new Float32Array(channels), [channels], 'bias');
    this.runningMean = new StateArray(new Float32Array(channels));
    this.runningVariance = new StateArray(new Float32Array(channels).fill(1));
    if (options.affine === false) this.gamma.rateFactor = this.beta.rateFactor = 0;
    this.epsilon = options.epsilon ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
    this.rule = options.rule ?? exactNorm;
  }

  override forward(x: Tensor): Tensor {
    return this.apply(x);
  }

  /** Normalises, then adds the residual and clamps in the same pass. */
  apply(x: Tensor, epilogue: Epilogue = {}): Tensor {
    if (this.training) {
      const unbiased = x.rows > 1 ? x.rows / (x.rows - 1) : 1;
      return batchNorm(
        x,
        this.gamma,
        this.beta,
        this.epsilon,
        ({ mean, variance }) => {
          if (x.rows === 0) return;
          this.average(this.runningMean.data, mean, 1);
          this.average(this.runningVariance.data, variance, unbiased);
        },
        epilogue,
        this.rule,
      );
    }
    const { scale, shift } = this.folded();
    return channelAffine(x, scale, shift, epilogue);
  }

  /** Evaluation as y = x*scale + shift. */
  folded(): { scale: Float32Array; shift: Float32Array } {
    const channels = this.gamma.size;
    const [scale, shift] = [new Float32Array(channels), new Float32Array(channels)];
    foldBatchNorm(
      this.gamma.data,
      this.beta.data,
      this.runningMean.data,
      this.runningVariance.data,
      this.epsilon,
      scale,
      shift,
      this.rule,
    );
    return { scale, shift };
  }

  private average(running: Float32Array, batch: Float32Array, factor: number): void {
    for (let c = 0; c < running.length; c++) running[c]! += this.momentum * (batch[c]! * factor - running[c]!);
  }
}

/** Every batch-norm of a module and of all in it, depth first. */
export const batchNormsOf = (module: AnyModule): BatchNorm[] =>
  module.modules().flatMap(({ value }) => (value instanceof BatchNorm ? [value] : []));
