import { parentPort, workerData } from 'node:worker_threads';
import { hearInterrupts, signals } from '../core/interrupt.ts';
import type { CommandStart } from './command-thread.ts';

/** The thread of `runInThread`. */
const { argv, heard, terminal } = workerData as CommandStart;
Object.assign(process.stderr, terminal);
hearInterrupts(() => signals[Atomics.load(heard, 0) - 1] ?? null);
const { main } = await import('./program.ts');
const code = await main(argv);
parentPort!.postMessage(code || process.exitCode || 0);
