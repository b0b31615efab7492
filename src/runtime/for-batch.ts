/** What an op makes for a number of images, made again when that number changes. */
export function forBatch<T>(make: (batch: number) => T): (batch: number) => T {
  let last = { batch: 1, made: make(1) };
  return (batch) => {
    if (batch !== last.batch) last = { batch, made: make(batch) };
    return last.made;
  };
}
