import type { SetCounts } from './counts.ts';

/** How a data set is read: what of it may be broken, and who hears of it. */
export interface LoadOptions {
  /** Which fifth of a folder without `test` is kept for the test; default 1. */
  readonly splitSeed?: number | undefined;
  /** Share of broken pictures that may be left out; default 0.01. */
  readonly allowBroken?: number | undefined;
  /** Images of a set that is known by name, where they are not as many as were published. */
  readonly counts?: SetCounts | undefined;
  /** Hears one line on what was found, and later one on each picture that fails to decode. */
  readonly tell?: (line: string) => void;
}
