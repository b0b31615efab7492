import { UsageError } from '../core/errors.ts';
import { Random } from '../core/random.ts';

/** A stream of its own, so that the order of the epochs stays that of the seed. */
const stream = 0x7fffffff;

export interface Division {
  /** Places of the images that are learned from, ascending. */
  readonly kept: Uint32Array;
  /** Places of those held back, ascending. */
  readonly held: Uint32Array;
}

/**
 * Holds images back from training, drawn by the seed: what a run is judged by while it can still change.
 *
 * @param count training images
 * @param held of them, the number held back
 * @throws UsageError when none would be left
 */
export function holdBack(count: number, held: number, seed: number): Division {
  if (held >= count)
    throw new UsageError(
      `--validation ${held}: there are ${count} training images, and some must be left to learn from; give fewer than ${count}`,
    );
  const order = new Random(seed).fork(stream).permutation(count);
  return { held: order.slice(0, held).sort(), kept: order.slice(held).sort() };
}
