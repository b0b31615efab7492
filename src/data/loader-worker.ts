import { parentPort, workerData } from 'node:worker_threads';
import { Batches, type Pass } from './batches.ts';
import type { LoaderReply, LoaderRequest, LoaderStart } from './loader.ts';

/** The thread of `BackgroundLoader`: fills the shared slots it is asked to. */
const { data, split, layouts, notesBroken, batch, slots } = workerData as LoaderStart;
const tell = (reply: LoaderReply) => parentPort!.postMessage(reply);
const broken = { add: (name: string, reason: string) => tell({ kind: 'broken', name, reason }) };
const batches = new Batches(data, notesBroken ? { ...split, broken } : split, batch, layouts);
let pass: Pass | null = null;

async function answer(request: LoaderRequest): Promise<void> {
  if (request.kind === 'pass') {
    pass = request.pass;
    return;
  }
  const { slot, index, generation } = request;
  const { count } = await batches.shuffled(pass!, index, slots[slot]!);
  tell({ kind: 'filled', generation, slot, count });
}

// one after the other: two passes must never write into one slot at the same time
let work = Promise.resolve();
parentPort!.on('message', (request: LoaderRequest) => {
  work = work.then(() => answer(request));
});
