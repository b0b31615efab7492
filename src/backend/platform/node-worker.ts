import type { MessagePort, Worker } from 'node:worker_threads';
import type { Ears, Port, Thread } from './threads.ts';

/** A worker of Node.js as a thread, which keeps the process alive only while it is held. */
export function nodeThread(worker: Worker, ears: Ears): Thread {
  worker.on('message', (message) => ears.message(message));
  worker.on('messageerror', (error) => ears.ended(error));
  worker.on('error', (error) => ears.ended(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => ears.ended(new Error(`it exited with code ${code}`)));
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as ArrayBuffer[]),
    hold: () => worker.ref(),
    release: () => worker.unref(),
    end: () => void worker.terminate(),
  };
}

/** Of the worker that this is. */
export const nodePort = (port: MessagePort): Port => ({
  post: (message, transfer = []) => port.postMessage(message, transfer as ArrayBuffer[]),
  hear: (listener) => void port.on('message', listener),
});
