import type { Backbone } from './backbone.ts';
import type { BuildContext, NetworkBody } from './network.ts';

/** A topology as a value: a builder, and what it was published for. */
export interface ModelEntry {
  readonly id: string;
  readonly title: string;
  /** Its layers, of what a method gives: a backbone, which takes any head, or a whole network with an end of its own. */
  readonly build: (context: BuildContext) => Backbone | NetworkBody;
  /** Input the model was published for, [H,W,C]. */
  readonly inputShape: readonly [number, number, number];
  /** Smallest side it can take. */
  readonly smallestSide: number;
  /** Its convolutions have shortcuts around them. */
  readonly residual?: boolean;
  /** Of methods with a normed head, it has one. */
  readonly normedHead?: boolean;
  /** Where its shortcuts change size they copy pixels. */
  readonly copiedShortcut?: boolean;
  /** The activation after its first layer is the method's. */
  readonly activeStem?: boolean;
  /** The weights of its first and last layer are as the method has them. */
  readonly methodEnds?: boolean;
}

/** A model as a value, checked by the compiler. */
export const defineModel = (model: ModelEntry): ModelEntry => model;
