import { InterruptError } from './errors.ts';

/** What asks a process to stop. */
export type Signal = 'SIGINT' | 'SIGTERM';

export const signals: readonly Signal[] = ['SIGINT', 'SIGTERM'];

/** Exit status of a process that a signal has stopped. */
export const signalStatus: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143 };

type Source = () => Signal | null;
const never: Source = () => null;
let source: Source = never;

/** The signal that asked this process to stop; null while none did. */
export const interruptedBy: Source = () => source();

/**
 * Says where signals are heard, unless that is known. Signals belong to the process, whoever computes in it, so this is one for all; a
 * computation that takes seconds asks between its parts.
 *
 * @returns puts back what was asked before
 */
export function hearInterrupts(next: Source): () => void {
  const before = source;
  source = before === never ? next : before;
  return () => {
    source = before;
  };
}

/** @throws InterruptError when a signal has asked this process to stop */
export function throwIfInterrupted(): void {
  const signal = interruptedBy();
  if (signal) throw new InterruptError(signal);
}
