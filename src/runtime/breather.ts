import { pause } from '#platform';

/** The calling thread hears others again after this many milliseconds. */
const most = 2;

/** Between the pieces of a long work: gives timers and input their turn whenever it has been long enough since the last. */
export function breather(): () => Promise<void> | undefined {
  let free = performance.now();
  return () => {
    if (performance.now() - free < most) return undefined;
    return pause().then(() => {
      free = performance.now();
    });
  };
}
