import { UsageError } from '../../core/errors.ts';
import { listed, quoted } from '../../core/printable.ts';
import type { Module, Sequential } from '../../nn/module.ts';
import type { Answers, AnswerPlace as HeadPlace } from '../../runtime/tasks/decoder.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Maps, Taps } from '../backbone.ts';
import type { BuildContext } from '../network.ts';
import type { HeadSettings, OutputNames, Outputs, StoredHead } from '../outputs.ts';

export type { Answers, HeadPlace, HeadSettings, Outputs, StoredHead };

/** One number [1] that is learned from, and what it is the sum of. */
export interface Loss {
  readonly total: Tensor;
  readonly parts: Readonly<Record<string, Tensor>>;
}

/** What a run says of the loss; heads read what concerns them. */
export interface LossOptions {
  readonly kind: 'cross-entropy' | 'squared-hinge';
  /** In [0,1). */
  readonly labelSmoothing: number;
}

/**
 * The end of a network: what it says, how that is learned, and how it is read.
 *
 * T: what is known of a batch. N: what the loss compares outputs with. D: what an image's answer means.
 */
export interface Head<T = object, N = unknown, D = unknown> extends OutputNames {
  readonly id: string;
  /** Every setting that it has, with its usual value; default none. */
  readonly settings?: HeadSettings;
  /**
   * What is built on a backbone: a module that is given the maps that it took and gives all outputs, or layers after the last maps that give the
   * first one (`taps.vector(outputs)` are those that the model was published with).
   *
   * @param classes of the data, 0 where it has none
   * @param context quantizers, structure and random numbers of the network, and the head's settings
   * @throws UsageError when the backbone lacks maps that it needs
   */
  build(
    taps: Taps,
    classes: number,
    context: BuildContext & { readonly settings: HeadSettings },
  ): Sequential | Module<Maps, Outputs>;
  /** What the outputs are compared with. */
  targets(truth: T, place: HeadPlace): N;
  /** @throws ShapeError when outputs are not of the targets' sizes */
  loss(outputs: Outputs, targets: N, options: LossOptions): Loss;
  /** What the answer to one image means, on plain arrays: usually the decoder of a file that pages load too. */
  decode(outputs: Answers, place: HeadPlace, options: Readonly<Record<string, unknown>>): D;
}

/** A head as a value, checked by the compiler. */
export function defineHead<T, N, D>(head: Head<T, N, D>): Head<T, N, D> {
  return head;
}

/** The settings of a head with those that a run changes. @throws UsageError for one that it does not have */
export function headSettings(
  { id, settings = {} }: Pick<Head, 'id' | 'settings'>,
  changed: HeadSettings = {},
): HeadSettings {
  const kindOf = (value: unknown) => (Array.isArray(value) ? 'list' : typeof value);
  for (const [name, value] of Object.entries(changed)) {
    if (!Object.hasOwn(settings, name))
      throw new UsageError(
        `the head ${quoted(id)} has no setting ${quoted(name)}; ${Object.keys(settings).length > 0 ? `it has ${listed(Object.keys(settings))}` : 'it has none'}`,
      );
    if (kindOf(value) !== kindOf(settings[name]))
      throw new UsageError(
        `the head ${quoted(id)}: ${name} is ${JSON.stringify(value)}, expected a ${kindOf(settings[name])} such as ${JSON.stringify(settings[name])}`,
      );
  }
  return { ...settings, ...changed };
}
