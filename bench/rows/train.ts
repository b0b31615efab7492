import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { alone, faster, more, type Row } from '../harness.ts';
import { torchPython } from '../peers.ts';

interface Measured {
  readonly imagesPerSecond: number;
  readonly peakMegabytes: number;
}

/** A process of its own, so that its peak memory is its own. */
function ours(model: string, batch: number, threads: number): Measured {
  const script = fileURLToPath(new URL('../train-step.mjs', import.meta.url));
  const env = { ...process.env, SIGNUM_THREADS: String(threads) };
  return JSON.parse(
    execFileSync(process.execPath, [script, model, String(batch)], { encoding: 'utf8', env }),
  ) as Measured;
}

/** The fastest of PyTorch's eager and compiled steps, in both layouts; what `torch.compile` cannot do here does not count. */
function torch(model: string, batch: number, threads: number): Measured {
  if (alone) return { imagesPerSecond: Number.NaN, peakMegabytes: Number.NaN };
  const runs = ['nchw', 'nhwc'].flatMap((layout) =>
    ['eager', 'compiled'].flatMap((mode) => {
      try {
        const args = [model, String(batch), String(threads), layout, mode];
        return [JSON.parse(torchPython('train_step.py', args)) as Measured];
      } catch (error) {
        if (mode === 'eager') throw error;
        process.stderr.write(`torch.compile failed (${layout}): the eager steps are the peer\n`);
        return [];
      }
    }),
  );
  return runs.reduce((a, b) => (a.imagesPerSecond > b.imagesPerSecond ? a : b));
}

function trainRow(model: string, batch: number, threads: number, target: number): Row {
  return {
    name: `train-${model}${threads === 1 ? '-1-thread' : ''}`,
    run: async () => {
      // in turns: ours, theirs, ours; the better of ours against a drifting machine would flatter, so the mean
      const first = ours(model, batch, threads);
      const theirs = torch(model, batch, threads);
      const second = ours(model, batch, threads);
      const speed = (first.imagesPerSecond + second.imagesPerSecond) / 2;
      const memory = Math.max(first.peakMegabytes, second.peakMegabytes);
      const name = `${model} ir-net 1W/1A, batch ${batch}`;
      const peer = 'PyTorch 2.13 simulation, best of four';
      return [
        more(`train step ${name}`, peer, speed, theirs.imagesPerSecond, 'img/s', target, threads),
        faster(`peak memory of that step, ${model}`, peer, memory, theirs.peakMegabytes, 'MB', 2, threads),
      ];
    },
  };
}

export const trainRows: Row[] = [1, 2].flatMap((threads) => [
  trainRow('resnet20', 128, threads, 3),
  trainRow('vgg-small', 32, threads, 2.8),
]);
