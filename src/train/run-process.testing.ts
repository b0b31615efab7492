/** A process of run.test.ts: trains in the folder that it is given until it is stopped. */
import { trainRun } from './run.ts';
import { blobData } from './synthetic.testing.ts';

const options = {
  model: 'sfc',
  method: 'bnn',
  data: 'blobs',
  width: 0.1,
  epochs: 100_000,
  batch: 32,
  optimizer: 'adam',
} as const;
try {
  await trainRun(process.argv[2]!, options, blobData(), {
    existing: 'resume',
    onEpoch: () => process.stdout.write('.'),
  });
} catch (error) {
  process.stderr.write(`${(error as Error).name}: ${(error as Error).message}`);
  process.exitCode = 3;
}
