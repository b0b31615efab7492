import { loadAddon } from '../backend/platform/addon-file.ts';
import { startModule } from '../backend/platform/node-threads.ts';
import { type Signal, signalStatus, signals } from '../core/interrupt.ts';
import { tell } from './output.ts';

/** What the thread that runs a command is told. */
export interface CommandStart {
  readonly argv: readonly string[];
  /** 0, or the place of the signal that has come in `signals`, from 1. */
  readonly heard: Int32Array;
  /** Of the terminal, which a thread cannot see. */
  readonly terminal: { readonly isTTY: boolean; readonly columns?: number };
  /** This thread is the one that talks to the person. */
  readonly speaks: true;
}

/** `npm run` passes Ctrl-C on to who has got it from the terminal already. */
const echoMs = 50;

/**
 * Runs a command line in a thread. The first Ctrl-C (or SIGTERM) is answered at once and asks the command to stop; the next one ends the
 * process, also inside a kernel.
 *
 * @returns the exit code
 */
export function runInThread(argv: readonly string[]): Promise<number> {
  const heard = new Int32Array(new SharedArrayBuffer(4));
  const { isTTY = false, columns } = process.stderr;
  const start: CommandStart = { argv, heard, terminal: columns ? { isTTY, columns } : { isTTY }, speaks: true };
  const thread = startModule(new URL('./command-worker.js', import.meta.url), start);
  let first = 0;
  for (const signal of signals)
    process.on(signal, () => {
      if (Atomics.compareExchange(heard, 0, 0, signals.indexOf(signal) + 1) === 0) {
        first = performance.now();
        tell(`${isTTY ? '\n' : ''}stopping after this step; again ends now\n`);
      } else if (performance.now() - first > echoMs) endNow(signal);
    });
  return new Promise((resolve, reject) => {
    let code = 1;
    thread.on('message', (sent: number) => {
      code = sent;
    });
    thread.on('error', reject);
    thread.on('exit', () => resolve(code));
  });
}

/** `process.exit` would wait for the thread, which may be in a kernel for long. Files are renamed when they are whole, so none is cut. */
function endNow(signal: Signal): void {
  tell('ended; the last checkpoint is whole\n');
  const addon = loadAddon();
  // without native kernels a thread ends where it is
  if (addon instanceof Error) process.exit(signalStatus[signal]);
  addon.exitNow(signalStatus[signal]);
}
