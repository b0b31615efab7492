import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { threads } from '../../src/backend/select.ts';
import { load } from '../../src/runtime/load.ts';
import { loadPackedModel } from '../../src/runtime/packed-model.ts';
import { faster, inTurns, median, type Row } from '../harness.ts';
import { untrainedFile } from './predict.ts';

/** A 1 ms timer may be late by this much, in ms, while a thread computes. */
const budget = 5;
const rounds = 7;

/** The longest time, in ms, between two turns of a 1 ms timer until a promise settles. */
async function largestGap(promise: Promise<unknown>): Promise<number> {
  let [largest, last] = [0, performance.now()];
  const turn = () => {
    const now = performance.now();
    largest = Math.max(largest, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  await promise;
  turn();
  clearInterval(timer);
  return largest;
}

const idle = () => new Promise((resolve) => setTimeout(resolve, 500));

/** In turns with the same timer while the process does nothing: a busy machine, or the host of a virtual one, makes that one late too. */
const gap: Row = {
  name: 'off-thread-gap',
  run: async () => {
    const file = untrainedFile('resnet18-imagenet', 224, 1000);
    const model = await load(file);
    const images = { data: new Uint8Array(64 * 224 * 224 * 3).fill(100), shape: [64, 224, 224, 3] };
    const [gaps, floor]: [number[], number[]] = [[], []];
    await model.predict(images);
    for (let round = 0; round < rounds; round++) {
      floor.push(await largestGap(idle()));
      gaps.push(await largestGap(model.predict(images)));
    }
    model.dispose();
    const name = `predict, resnet18 224x224, batch 64: largest gap of a 1 ms timer (of an idle process: ${median(floor).toFixed(1)} ms)`;
    return [faster(name, `budget of ${budget} ms`, median(gaps), budget, 'ms', 1, threads())];
  },
};

/** A thread that sends back what it gets: what two messages cost by themselves. */
function echo(): { ask: () => Promise<unknown>; end: () => void } {
  const code =
    "const { parentPort: port } = require('node:worker_threads'); port.on('message', (m) => port.postMessage(m))";
  const worker = new Worker(code, { eval: true });
  const ask = () => {
    worker.postMessage(new Uint8Array(3072));
    return once(worker, 'message');
  };
  return { ask, end: () => void worker.terminate() };
}

/** What a thread costs one small image beside the messages themselves. */
const overhead: Row = {
  name: 'off-thread-overhead',
  run: async () => {
    threads(1);
    const file = untrainedFile('resnet20', 32, 10);
    const [here, model, bare] = [loadPackedModel(file), await load(file), echo()];
    const pixels = new Uint8Array(3072).fill(100);
    const tasks = [() => model.predict(pixels), () => here.predict(pixels), bare.ask];
    const [there, same, messages] = await inTurns(tasks, 15, 60, true);
    model.dispose();
    bare.end();
    const name = `predict in a thread, resnet20 32x32, batch 1: more than on the calling one (${(same! * 1e3).toFixed(0)} us)`;
    return [faster(name, 'a message and its echo', (there! - same!) * 1e3, messages! * 1e3, 'us', 0.25, 1)];
  },
};

export const offThreadRows: Row[] = [gap, overhead];
