import type { DataSet } from '../data/dataset.ts';
import type { DataChoice } from '../train/data-of.ts';

export type Load = (choice: DataChoice) => Promise<DataSet>;

/** A loader that keeps what it has loaded: decoding a data set takes longer than many things that are done with it. */
export function loadedOnce(load: Load): Load {
  const kept = new Map<string, DataSet>();
  return async (choice) => {
    const key = JSON.stringify([choice.data, choice.splitSeed, choice.allowBroken]);
    const data = kept.get(key) ?? (await load(choice));
    kept.set(key, data);
    return data;
  };
}
