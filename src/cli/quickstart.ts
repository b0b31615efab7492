import type { Command } from 'commander';
import { packedFile } from '../analysis/file-names.ts';
import { evaluatePacked, packForData } from '../analysis/packed-evaluation.ts';
import { InterruptError } from '../core/errors.ts';
import { loadDataSet } from '../data/table.ts';
import { floatBytes } from '../pack/pack.ts';
import { parseConfig } from '../train/config.ts';
import { notePacked } from '../train/report-file.ts';
import { trainRun } from '../train/run.ts';
import { RunFolder } from '../train/run-folder.ts';
import { integer } from './arguments.ts';
import { bytes, percent, print, tell } from './output.ts';
import { progressEvents } from './progress.ts';

async function quickstart(folder: RunFolder, epochs: number, limit: number | undefined): Promise<void> {
  const begin = performance.now();
  const config = parseConfig({
    model: 'cnv6',
    width: 0.25,
    method: 'bnn',
    data: 'mnist',
    epochs,
    batch: 100,
    optimizer: 'adam',
    rate: 3e-3,
    schedule: 'cosine',
    loss: 'cross-entropy',
    seed: 1,
    ...(limit ? { limit } : {}),
  });
  tell("training FINN's CNV (quarter width, 1-bit weights and activations) on MNIST\n");
  const data = await loadDataSet('mnist');
  const events = progressEvents(epochs);
  const { accuracy, finished, interrupted, network } = await trainRun(folder, config, data, {
    existing: 'replace',
    ...events,
  });
  if (!finished || interrupted) {
    print('{"finished":false}\n');
    throw new InterruptError(interrupted ?? 'SIGINT', 'stopped; the same command begins anew');
  }
  const { bytes: file, model } = await packForData(network, data);
  folder.write(packedFile, file);
  const evaluation = await evaluatePacked(model, data, limit);
  const packed = { accuracy: evaluation.top1, fileBytes: file.length, floatBytes: floatBytes(network) };
  notePacked(folder, () => network, packed);
  tell(
    `packed and verified: ${bytes(file.length)} instead of ${bytes(packed.floatBytes)}, test accuracy ${percent(evaluation.top1)}\nreport: ${folder.file('report.html')}\n`,
  );
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  print(
    `${JSON.stringify({ accuracy, packedAccuracy: evaluation.top1, floatBytes: packed.floatBytes, packedBytes: file.length, seconds })}\n`,
  );
}

export function defineQuickstart(command: Command): void {
  command
    .option('--epochs <n>', 'passes over MNIST', integer, 3)
    .option('--limit <n>', 'use only n images of each split, for a smoke run', integer)
    .action(({ epochs, limit }: { epochs: number; limit?: number }) => {
      const folder = new RunFolder('runs/quickstart');
      return folder.whileLocked(() => quickstart(folder, epochs, limit));
    });
}
