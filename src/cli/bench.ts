import type { Command } from 'commander';
import { type AgainstFloat, againstFloat, isBinary, layerTimes, twinTimes } from '../analysis/against-float.ts';
import { type LayerSummary, sumOf } from '../analysis/summary.ts';
import { kernels, threads } from '../backend/select.ts';
import { integer, positive } from './arguments.ts';
import { bytes, formatTable, percent, print } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { resolveModel } from './summary.ts';

interface BenchOptions extends WithPlugins {
  readonly method: string;
  readonly width: number;
  readonly batch: number;
  readonly threads?: number;
  readonly repeats: number;
  readonly json?: boolean;
}

const ratio = (of: number, to: number) => `${(of / to).toFixed(1)}x`;

function layerTable({ float, packed }: AgainstFloat): string {
  const layers = layerTimes(packed.nodes);
  const twins = twinTimes(layerTimes(float.nodes), layers);
  const rows = layers.map(({ name, milliseconds: ms }, i) => {
    const other = twins[i];
    return [name, other?.toFixed(3) ?? '', ms.toFixed(3), other ? ratio(other, ms) : ''];
  });
  return formatTable(['layer (with what follows it)', 'float ms', 'packed ms', 'speed-up'], rows);
}

/** The four numbers that are easily taken for one another. */
function wholeTable({ float, packed, binaryLayerBytes }: AgainstFloat): string {
  const row = (name: string, of: number, to: number, text = bytes) => [name, text(of), text(to), ratio(of, to)];
  return formatTable(
    ['whole network', 'float', 'packed', 'ratio'],
    [
      row('binary layers, with their thresholds', binaryLayerBytes.float, binaryLayerBytes.packed),
      row('file on disk', float.fileBytes, packed.fileBytes),
      row('resident memory, running alone', float.memory.resident, packed.memory.resident),
      row('wall clock', float.milliseconds, packed.milliseconds, (ms) => `${ms.toFixed(3)} ms`),
    ],
  );
}

/** Which float part weighs most in the file, and which takes the most time. */
function dominantFloats(nodes: readonly LayerSummary[]): string {
  const floats = nodes.filter((layer) => !isBinary(layer));
  if (floats.length === 0) return 'float parts: none';
  const most = (key: 'packedBytes' | 'milliseconds') =>
    floats.reduce((best, layer) => (layer[key] > best[key] ? layer : best));
  const [largest, slowest] = [most('packedBytes'), most('milliseconds')];
  const size = sumOf(floats, 'packedBytes');
  return (
    `float parts: ${size > 0 ? `${bytes(size)}, most of it ${largest.name} (${bytes(largest.packedBytes)})` : 'no weights'}; ` +
    `${percent(sumOf(floats, 'milliseconds') / sumOf(nodes, 'milliseconds'))} of the time, most of it ${slowest.name} (${slowest.milliseconds.toFixed(3)} ms)`
  );
}

function asJson({ float, packed, binaryLayerBytes }: AgainstFloat, engine: string, batch: number): string {
  const figures = ({ milliseconds, fileBytes, memory, nodes }: typeof float) => ({
    milliseconds,
    fileBytes,
    residentBytes: memory.resident,
    layers: layerTimes(nodes),
  });
  return JSON.stringify({
    engine,
    batch,
    speedUp: float.milliseconds / packed.milliseconds,
    binaryLayerBytes,
    nodeBytes: packed.memory.alone,
    float: figures(float),
    packed: figures(packed),
  });
}

export function defineBench(command: Command): void {
  command
    .argument('<model>', 'topology, packed file or run folder')
    .option('--method <name>', 'for a topology: how it is binarized', 'bnn')
    .option('--width <factor>', 'for a topology: multiply all channel counts', positive, 1)
    .option('--batch <n>', 'images per run', integer, 1)
    .option('--threads <n>', 'threads of the native kernels (default: all cores)', integer)
    .option('--repeats <n>', 'runs to take the median of', integer, 30)
    .option(...plugin)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum bench resnet18\n  SIGNUM_BACKEND=wasm signum bench vgg-small --batch 8',
    )
    .action(async (target: string, options: BenchOptions) => {
      if (options.threads) threads(options.threads);
      const [batch, repeats] = [Math.max(1, options.batch), Math.max(1, options.repeats)];
      const house = await houseOf(options);
      const ours = resolveModel(target, options.method, options.width, house);
      const comparison = againstFloat(ours, batch, repeats, house);
      const engine = `${kernels().name} (${kernels().detail}), ${kernels().name === 'native' ? threads() : 1} thread(s)`;
      if (options.json) {
        print(`${asJson(comparison, engine, batch)}\n`);
        return;
      }
      const { graph } = ours.model;
      print(
        [
          `${graph.model} / ${graph.method}, batch ${batch}, ${engine}`,
          `baseline: the same topology in float32 by Signum's own kernels; milliseconds, medians of ${repeats}`,
          '',
          layerTable(comparison),
          '',
          wholeTable(comparison),
          '',
          `resident memory: of a process that only runs it; Node alone takes ${bytes(comparison.packed.memory.alone)} of it`,
          dominantFloats(comparison.packed.nodes),
          '',
        ].join('\n'),
      );
    });
}
