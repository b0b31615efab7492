import { closeSync, openSync, utimesSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type BeatRequest, beatEveryMs } from './lock.ts';

/** The thread that keeps this process's locks alive while its other threads compute. */
const held = new Map<string, BeatRequest & { kind: 'hold' }>();

/** Written in place, so that the time on it is the file system's own: the clocks of two machines on one disk may differ. */
function beat({ file, content, lost }: BeatRequest & { kind: 'hold' }): void {
  try {
    const descriptor = openSync(file, 'r+');
    try {
      writeSync(descriptor, content, 0);
    } catch {
      // a full disk that copies what is overwritten
      utimesSync(file, new Date(), new Date());
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // anything else may pass: a disk that does not answer now
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
    Atomics.store(lost, 0, 1);
    held.delete(file);
  }
}

parentPort!.on('message', (request: BeatRequest) => {
  if (request.kind === 'hold') held.set(request.file, request);
  else held.delete(request.file);
});
setInterval(() => held.forEach(beat), beatEveryMs);
