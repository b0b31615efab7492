import type { Ears, Port, Thread } from './threads.ts';

/** A page's worker as a thread. */
export function webThread(worker: Worker, ears: Ears): Thread {
  const fail = (reason: string) => {
    worker.terminate();
    ears.ended(new Error(reason));
  };
  worker.onmessage = ({ data }) => ears.message(data);
  // a script that is not there, or that the page's policy forbids, gives an event without a message
  worker.onerror = (event) => {
    event.preventDefault?.();
    fail(event.message || 'its script did not load');
  };
  worker.onmessageerror = () => fail('a message could not be read');
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as ArrayBuffer[]),
    hold: () => {},
    release: () => {},
    end: () => worker.terminate(),
  };
}

/** Of the worker that this is. */
export function webPort(): Port {
  const scope = globalThis as unknown as Worker;
  return {
    post: (message, transfer = []) => scope.postMessage(message, transfer as ArrayBuffer[]),
    hear: (listener) => {
      scope.onmessage = ({ data }) => listener(data);
    },
  };
}

/** Lets timers, input and drawing have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Memory is shared with workers only in isolated pages: a copy of its own. */
export const shared = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
