import { throwIfInterrupted } from '../core/interrupt.ts';

/** Between two parts of a long computation: lets timers and signals in. @throws InterruptError when one has asked to stop */
export async function pause(): Promise<void> {
  await new Promise(setImmediate);
  throwIfInterrupted();
}
