import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { faster, more, type Row } from '../harness.ts';
import { python } from '../peers.ts';

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

/** The better of PyTorch's two layouts. */
function torch(model: string, batch: number, threads: number): Measured {
  const runs = ['nchw', 'nhwc'].map(
    (layout) => JSON.parse(python('train_step.py', [model, String(batch), String(threads), layout])) as Measured,
  );
  return runs.reduce((a, b) => (a.imagesPerSecond > b.imagesPerSecond ? a : b));
}

function trainRow(model: string, batch: number, target: number): Row {
  return {
    name: `train-${model}`,
    run: async () => {
      const threads = 2;
      // in turns: ours, theirs, ours; the better of ours against a drifting machine would flatter, so the mean
      const first = ours(model, batch, threads);
      const theirs = torch(model, batch, threads);
      const second = ours(model, batch, threads);
      const speed = (first.imagesPerSecond + second.imagesPerSecond) / 2;
      const memory = Math.max(first.peakMegabytes, second.peakMegabytes);
      return [
        more(
          `train step ${model} ir-net 1W/1A, batch ${batch}`,
          'PyTorch 1.13 simulation, better layout',
          speed,
          theirs.imagesPerSecond,
          'img/s',
          target,
          threads,
        ),
        faster(
          `peak memory of that step, ${model}`,
          'PyTorch 1.13 simulation',
          memory,
          theirs.peakMegabytes,
          'MB',
          2,
          threads,
        ),
      ];
    },
  };
}

export const trainRows: Row[] = [trainRow('resnet20', 64, 2), trainRow('vgg-small', 32, 1.5)];
