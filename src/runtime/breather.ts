import { pause } from '#platform';

/** The calling thread hears others again after about this many milliseconds. */
const most = 1;

/** Between the pieces of a long work: gives timers and input their turn whenever it has been long enough since the last. */
export function breather(): () => Promise<void> {
  let free = performance.now();
  return async () => {
    // several may wait: the first that goes on uses up the next turn of all
    while (performance.now() - free >= most) {
      const asked = performance.now();
      await pause();
      if (free < asked) free = performance.now();
    }
  };
}
