import type { BinaryPart } from '../binarize/stages.ts';
import { UsageError } from '../core/errors.ts';
import type { Method, Stage } from './method.ts';
import type { Tricks } from './tricks.ts';

/** The method as it trains in one of its stages. */
export function inStage(
  method: Method,
  { defaults, name: _, epochs: __, binary: ___, teacher: ____, begin: _____, ...own }: Stage,
): Method {
  return { ...method, ...own, defaults: { ...method.defaults, ...defaults } };
}

/**
 * Whether a method can be trained in stages of which each binarizes such a part.
 *
 * @throws UsageError with the reason, where it cannot
 */
export function requireStages(method: Method, parts: readonly BinaryPart[], tricks: Tricks = {}): void {
  const refuse = (reason: string): never => {
    throw new UsageError(`--stages does not go with method "${method.id}": ${reason}`);
  };
  if (tricks.bitSteps || tricks.partitions)
    refuse(
      `${tricks.bitSteps ? '--bit-steps' : '--partitions'} is a plan for the whole training too; choose one of the two`,
    );
  if (method.family === 'float') refuse('it binarizes nothing');
  if (method.update && !method.stages) refuse('its own update rule needs its quantized weights from the first step on');
  if (method.latentShape && parts.some((part) => part === 'none' || part === 'activations'))
    refuse('its filters are made from latent weights of another shape, so that there are none in float');
}
