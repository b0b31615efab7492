import type { DataSet } from '../../data/dataset.ts';

export type Load = (name: string) => Promise<DataSet>;

/** A loader that keeps what it has loaded: decoding a data set takes longer than many things that are done with it. */
export function loadedOnce(load: Load): Load {
  const kept = new Map<string, DataSet>();
  return async (name) => {
    const data = kept.get(name) ?? (await load(name));
    kept.set(name, data);
    return data;
  };
}
