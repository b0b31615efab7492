import type { Command } from 'commander';
import { kernels, threads } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { buildNetwork } from '../models/table.ts';
import { pack } from '../pack/pack.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { Tensor } from '../tensor/tensor.ts';
import { integer, number } from './arguments.ts';
import { bytes, formatTable } from './output.ts';
import { resolveModel } from './summary.ts';

/** The same topology in float32, packed without any binarization: the baseline on this machine. */
function floatTwin(model: PackedModel, width: number): PackedModel {
  const { graph } = model;
  const network = buildNetwork({
    model: graph.model,
    method: 'float',
    inputShape: graph.input,
    classes: graph.classes.length,
    width,
    seed: 1,
  });
  const image = new Float32Array(graph.input.reduce((a, b) => a * b));
  new Random(1).fillNormal(image, 0, 1);
  return pack(network, new Tensor(image, [1, ...graph.input]), {
    classes: graph.classes,
    mean: graph.mean,
    std: graph.std,
  }).model;
}

interface Timing {
  readonly total: number;
  /** Milliseconds of each convolution or dense layer with all that follows it up to the next. */
  readonly layers: readonly { name: string; ms: number }[];
}

function timeModel(model: PackedModel, batch: number, repeats: number): Timing {
  const images = new Float32Array(batch * model.graph.input.reduce((a, b) => a * b)).fill(0.5);
  const totals: number[] = [];
  const layers: { name: string; samples: number[] }[] = [];
  for (let i = 0; i < repeats + 2; i++) {
    let at = -1;
    let sum = 0;
    const begin = performance.now();
    model.run(images, (node, _value, ms) => {
      const starts = 'kernel' in node || node.op === 'dense';
      if (starts || at < 0) {
        at++;
        layers[at] ??= { name: node.name, samples: [] };
        sum = 0;
      }
      sum += ms;
      layers[at]!.samples[i] = sum;
    });
    totals.push(performance.now() - begin);
  }
  const median = (values: number[]) => values.slice(2).sort((a, b) => a - b)[repeats >> 1]!;
  return { total: median(totals), layers: layers.map(({ name, samples }) => ({ name, ms: median(samples) })) };
}

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('float against packed on this machine, layer by layer')
    .argument('<model>', 'topology, packed file or run folder')
    .option('--method <name>', 'for a topology: how it is binarized', 'bnn')
    .option('--width <factor>', 'multiply all channel counts', number, 1)
    .option('--batch <n>', 'images per run', integer, 1)
    .option('--threads <n>', 'threads of the native kernels (default: all cores)', integer)
    .option('--repeats <n>', 'runs to take the median of', integer, 30)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum bench resnet18\n  SIGNUM_BACKEND=wasm signum bench vgg-small --batch 8',
    )
    .action(
      (
        target: string,
        options: { method: string; width: number; batch: number; threads?: number; repeats: number; json?: boolean },
      ) => {
        if (options.threads) threads(options.threads);
        const [batch, repeats] = [Math.max(1, options.batch), Math.max(1, options.repeats)];
        const packed = resolveModel(target, options.method, options.width);
        const float = floatTwin(packed, options.width);
        const [floatTime, packedTime] = [timeModel(float, batch, repeats), timeModel(packed, batch, repeats)];
        const speedUp = floatTime.total / packedTime.total;
        const engine = `${kernels().name} (${kernels().detail}), ${kernels().name === 'native' ? threads() : 1} thread(s)`;
        if (options.json) {
          process.stdout.write(
            `${JSON.stringify({ engine, batch, floatMs: floatTime.total, packedMs: packedTime.total, speedUp, residentBytes: process.memoryUsage().rss, float: floatTime.layers, packed: packedTime.layers })}\n`,
          );
          return;
        }
        const rows = packedTime.layers.map(({ name, ms }, i) => {
          const twin = floatTime.layers[i]?.ms;
          return [name, twin?.toFixed(3) ?? '', ms.toFixed(3), twin ? `${(twin / ms).toFixed(1)}x` : ''];
        });
        rows.push(['whole network', floatTime.total.toFixed(3), packedTime.total.toFixed(3), `${speedUp.toFixed(1)}x`]);
        process.stdout.write(
          `${packed.graph.model} / ${packed.graph.method}, batch ${batch}, ${engine}\nbaseline: the same topology in float32 by Signum's own kernels; milliseconds, median of ${repeats}\n\n`,
        );
        process.stdout.write(
          `${formatTable(['layer (with what follows it)', 'float ms', 'packed ms', 'speed-up'], rows)}\n\nresident memory of this process, both networks loaded: ${bytes(process.memoryUsage().rss)}\n`,
        );
      },
    );
}
