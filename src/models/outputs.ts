import { Tensor } from '../tensor/tensor.ts';

/** What a network says of a batch, by name. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** Numbers, texts and lists that a head is built with; stored with every run and packed file. */
export type HeadSettings = Readonly<Record<string, unknown>>;

/** A head as files name it. */
export interface StoredHead {
  readonly id: string;
  readonly settings: HeadSettings;
}

/** The names of what a head says. */
export interface OutputNames {
  /** A network of one output gives the first. */
  readonly outputs: readonly [string, ...string[]];
}

/** All that a network says, by name; one tensor has the first. */
export const namedOutputs = (said: Tensor | Outputs, head?: OutputNames): Outputs =>
  said instanceof Tensor ? { [head?.outputs[0] ?? 'output']: said } : said;
