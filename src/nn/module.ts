import type { Shape } from '../core/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What a parameter is for: decides weight decay, latent clipping and what lint checks. `quantizer`: learned by a binary layer's quantizers. */
export type Role = 'weight' | 'latent' | 'bias' | 'scale' | 'quantizer';

/** A tensor that training changes. Latent parameters are the float weights behind binary ones. */
export class Parameter extends Tensor {
  readonly role: Role;
  /** Multiplies the learning rate for this parameter. */
  rateFactor = 1;
  /** A quantizer's value that decays like a weight. */
  decayed: boolean | undefined;

  constructor(values: Float32Array, shape: Shape, role: Role) {
    super(values, shape, true);
    this.role = role;
  }
}

/** State that is saved with the weights but not trained, e.g. running statistics. */
export class StateArray {
  readonly data: Float32Array;

  constructor(data: Float32Array) {
    this.data = data;
  }
}

export interface Named<T> {
  readonly name: string;
  readonly value: T;
}

const isCollection = (value: unknown): value is Record<string, unknown> =>
  Array.isArray(value) ||
  (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype);

/** A module of whatever inputs and outputs. */
export type AnyModule = Module<never, unknown>;

/** A layer or a network: parameters and sub-modules are found among its own properties, named by their path. Heads take maps and give outputs by name. */
export abstract class Module<In = Tensor, Out = Tensor> {
  training = true;

  /** What the module makes of a batch. */
  abstract forward(x: In): Out;

  /** Own properties, arrays and plain objects flattened: `blocks.0`, `learned.alpha`... */
  private *members(): Generator<Named<unknown>> {
    for (const [key, value] of Object.entries(this)) {
      if (isCollection(value))
        for (const [inner, item] of Object.entries(value)) yield { name: `${key}.${inner}`, value: item };
      else yield { name: key, value };
    }
  }

  private *walk(prefix: string): Generator<Named<unknown>> {
    for (const { name, value } of this.members()) {
      yield { name: prefix + name, value };
      if (value instanceof Module) yield* value.walk(`${prefix}${name}.`);
    }
  }

  private collect<T>(kind: abstract new (...args: never[]) => T): Named<T>[] {
    return [...this.walk('')].filter((member): member is Named<T> => member.value instanceof kind);
  }

  /** All parameters below, in definition order, by path: `blocks.0.conv.weight`. */
  parameters(): Named<Parameter>[] {
    return this.collect(Parameter);
  }

  /** What is kept beside parameters, of this module and all in it: running statistics, what quantizers remember. */
  stateArrays(): Named<StateArray>[] {
    return this.collect(StateArray);
  }

  /** This module and all in it, depth first, by their paths. */
  modules(): Named<AnyModule>[] {
    return this.collect<AnyModule>(Module);
  }

  /** Training or evaluation, for this module and everything below. */
  setTraining(training: boolean): void {
    this.training = training;
    for (const { value } of this.modules()) value.training = training;
  }
}

/** Layers one after the other. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(layers: readonly Module[]) {
    super();
    this.layers = layers;
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }
}
