import { hearInterrupts, type Signal, signals } from '../core/interrupt.ts';

/**
 * Hears Ctrl-C (SIGINT) and SIGTERM where nobody does yet: the command line hears them in a thread of its own, a program that trains only
 * between two steps.
 *
 * @returns stops listening
 */
export function listenForSignals(): () => void {
  let heard: Signal | null = null;
  const hear = (signal: Signal) => {
    heard ??= signal;
  };
  const listeners = signals.map((signal) => [signal, () => hear(signal)] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  const stop = hearInterrupts(() => heard);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
    stop();
  };
}
