import { BinarizeContext, type ScheduleValues } from '../binarize/context.ts';
import { binaryActivations, binaryWeights, floatUntil } from '../binarize/stages.ts';
import { ShapeError, UsageError } from '../core/errors.ts';
import { listed, quoted } from '../core/printable.ts';
import { Random } from '../core/random.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { type Method, type Point, revisionOf, type Structure } from '../methods/method.ts';
import type { Tricks } from '../methods/tricks.ts';
import { batchNormsOf } from '../nn/batch-norm.ts';
import { binaryLayersOf } from '../nn/binary-layer.ts';
import type { Quantization } from '../nn/binary-layers.ts';
import { Module } from '../nn/module.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { namedOutputs, type OutputNames, type Outputs, type StoredHead } from './outputs.ts';
import { applyPolicy, type Policy } from './policy.ts';

/** Everything that determines a network before training; stored with every run and model file. */
export interface NetworkConfig {
  readonly model: string;
  readonly method: string;
  /** [H,W,C] of one image. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** Multiplies all channel counts. */
  readonly width: number;
  readonly seed: number;
  /** Changes of the method. */
  readonly tricks?: Tricks | undefined;
  readonly policy?: Policy | undefined;
  /** Form of the method; default the present one. A network's own config names it. */
  readonly revision?: number | undefined;
  /** What it ends with; default the classifier. */
  readonly head?: StoredHead | undefined;
  /** With all changes made; default that of the method under `tricks`. A network's own config holds it whole. */
  readonly structure?: Structure | undefined;
}

/** A channel count of the published network at this width, at least one. */
export const scaledChannels = (channels: number, width: number): number => Math.max(1, Math.round(channels * width));

/** What a model builder works with. */
export interface BuildContext {
  readonly config: NetworkConfig;
  readonly method: Method;
  readonly quantization: Quantization;
  readonly random: Random;
}

/** From images [N,H,W,C] to the one output, or to several by name. */
export type NetworkBody = Module<Tensor, Tensor> | Module<Tensor, Outputs>;

/** A backbone and its head, or whatever else turns images [N,H,W,C] into outputs: logits [N,classes] of a classifier. */
export class Network extends Module {
  readonly config: NetworkConfig;
  readonly method: Method;
  readonly body: NetworkBody;
  readonly context: BinarizeContext;
  /** Where in its training the network is: methods with stages run differently in each. */
  point: Point = { progress: 0, epoch: 0 };

  constructor(config: NetworkConfig, method: Method, build: (context: BuildContext) => NetworkBody) {
    super();
    // at the end, wherever they came from: files of equal networks are equal
    const { revision: _asked, structure: _stored, ...others } = config;
    this.config = { ...others, revision: revisionOf(method), structure: method.structure };
    this.method = method;
    this.context = new BinarizeContext(config.seed + 1);
    const quantization: Quantization = {
      weight: floatUntil(binaryWeights, method.weight),
      activation: floatUntil(binaryActivations, method.activation),
      ...(method.output ? { output: method.output } : {}),
      ...(method.latentShape ? { latentShape: method.latentShape } : {}),
      ...(method.structure.dilations ? { dilations: method.structure.dilations } : {}),
      latent: method.latent ?? 'he',
      activationScale: method.structure.activationScale ?? false,
      context: this.context,
    };
    const widened = { ...config, width: config.width * (method.structure.widen ?? 1) };
    this.body = build({ config: widened, method, quantization, random: new Random(config.seed) });
    const { normMomentum } = method.structure;
    if (normMomentum !== undefined) for (const norm of batchNormsOf(this)) norm.momentum = normMomentum;
    if (config.policy) applyPolicy(this, config.policy);
    this.setPoint(this.point);
    this.startQuantizers();
  }

  /** Gives quantizers their first values in every layer, for its size and its weights as they are; again, it starts them anew. */
  startQuantizers(): void {
    inference(() => {
      for (const { value } of binaryLayersOf(this)) value.start();
    });
  }

  /** The first output, for images [N,H,W,C]: logits [N,classes] of a classifier. */
  override forward(images: Tensor): Tensor {
    const said = this.said(images);
    return said instanceof Tensor ? said : Object.values(said)[0]!;
  }

  /**
   * All outputs by name, for images [N,H,W,C].
   *
   * @param head which is trained: it knows what a network of one output calls it
   * @throws UsageError when the network does not say all that the head does
   */
  outputs(images: Tensor, head?: OutputNames): Outputs {
    const named = namedOutputs(this.said(images), head);
    const missing = head?.outputs.find((name) => !named[name]);
    // in the head's order: the first output of a packed network is that of its head
    if (missing === undefined)
      return { ...Object.fromEntries(head?.outputs.map((name) => [name, named[name]!]) ?? []), ...named };
    throw new UsageError(
      `${this.config.model} gives ${listed(Object.keys(named))}, and no ${quoted(missing)}; take the head that it was built with`,
    );
  }

  private said(images: Tensor): Tensor | Outputs {
    const expected: Shape = [images.shape[0] ?? 0, ...this.config.inputShape];
    if (images.shape.length !== 4 || images.shape.some((extent, axis) => extent !== expected[axis])) {
      throw new ShapeError(
        `${this.config.model}: expects images ${formatShape(['N', ...this.config.inputShape] as never)}, got ${formatShape(images.shape)}; resize them or build the model for this size`,
      );
    }
    return this.body.forward(images);
  }

  override setTraining(training: boolean): void {
    super.setTraining(training);
    this.context.training = training;
  }

  /**
   * Moves the method's schedule to a point of the training.
   *
   * @param values that it had there, of a network that was stored
   */
  setPoint(point: Point, values: ScheduleValues = this.method.schedule?.(point) ?? {}): void {
    this.point = point;
    this.context.values = values;
  }

  /** To the end of it: what a method with stages is packed as. */
  setPointToEnd(): void {
    this.setPoint({ progress: 1, epoch: this.method.defaults.epochs });
  }
}
