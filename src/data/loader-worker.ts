import { parentPort, workerData } from 'node:worker_threads';
import { Batches } from './batches.ts';
import type { LoaderReply, LoaderRequest, LoaderStart, Pass } from './loader.ts';

/** The thread of `BackgroundLoader`: fills the shared slots it is asked to. */
const { data, split, batch, slots } = workerData as LoaderStart;
const batches = new Batches(data, split, batch);
let pass: Pass | null = null;

parentPort!.on('message', (request: LoaderRequest) => {
  if (request.kind === 'pass') {
    pass = request.pass;
    return;
  }
  const { order, augmentation, seed, epoch } = pass!;
  const { slot, index, generation } = request;
  const { count } = batches.shuffled(order, index, augmentation, seed, epoch, slots[slot]!);
  parentPort!.postMessage({ generation, slot, count } satisfies LoaderReply);
});
