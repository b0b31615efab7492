import { kernels } from './select.ts';

/**
 * Raised whenever the order in which kernels add floats changes, or a slope's rounding: training gives other bits from then on. 1: sums
 * depended on the instruction set and the threads; 2: on shapes alone; 3: the slope of tanh, and on WebAssembly filters' gradients of blocks
 * of images.
 */
export const arithmeticVersion = 3;

/** What the bits of a training depend on besides its config: native instruction sets and numbers of threads agree, backends do not. */
export interface Arithmetic {
  readonly backend: string;
  readonly version: number;
}

export const arithmetic = (): Arithmetic => ({ backend: kernels().name, version: arithmeticVersion });

/** One line where what began with `then` goes on with other bits here, else null. @param then undefined in files of before it was recorded */
export function arithmeticChange(then: Arithmetic | undefined, now = arithmetic()): string | null {
  if (then?.backend === now.backend && then.version === now.version) return null;
  const text = ({ backend, version }: Arithmetic) => `the ${backend} backend's arithmetic of version ${version}`;
  const before = then ? text(then) : 'an arithmetic that was not recorded then';
  return `this run began with ${before} and goes on with ${text(now)}: sums are rounded otherwise, so the weights will not be those of an uninterrupted run`;
}
