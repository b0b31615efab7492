import type { Packed } from '../pack/pack.ts';
import { taskNamed } from '../tasks/table.ts';
import type { House } from '../train/plugin.ts';
import { latencyMs } from './latency.ts';
import { type ResidentMemory, residentMemory } from './resident-memory.ts';
import { type LayerSummary, summarise, sumOf } from './summary.ts';
import { packUntrained } from './untrained.ts';

/** What running one network costs on this machine. */
export interface Costs {
  readonly nodes: readonly LayerSummary[];
  /** One run of a batch, median. */
  readonly milliseconds: number;
  readonly fileBytes: number;
  readonly memory: ResidentMemory;
}

export interface AgainstFloat {
  readonly float: Costs;
  readonly packed: Costs;
  /** Of the layers with 1-bit weights: in float32, and packed with their thresholds. */
  readonly binaryLayerBytes: { readonly float: number; readonly packed: number };
}

/** The same topology in float32, packed without any binarization: the baseline on this machine. */
function floatTwin({ model: { graph } }: Packed, house: House): Packed {
  const { model, input, classes, mean, std, width } = graph;
  const task = taskNamed(graph.task.id, house.tasks);
  const network = { model, method: 'float', inputShape: input, classes: classes.length, width, head: graph.head };
  return packUntrained(network, { classes, mean, std, task }, { ...house, heads: task.heads });
}

function costs({ bytes, model }: Packed, batch: number, repeats: number, { plugins = [] }: House): Costs {
  const ops = new Set<string>(model.graph.nodes.map(({ op }) => op));
  const needed = plugins.filter(({ values }) => values.packedOps?.some(({ op }) => ops.has(op)));
  return {
    nodes: summarise(model, batch, repeats),
    milliseconds: latencyMs(model, batch, repeats),
    fileBytes: bytes.length,
    memory: residentMemory(
      bytes,
      batch,
      needed.map(({ file }) => file),
    ),
  };
}

export const isBinary = ({ bits }: LayerSummary): boolean => bits.startsWith('1/');

/**
 * Time, size and memory of a packed network and of its float twin, side by side.
 *
 * @param batch images per run
 * @param repeats runs to take medians of
 * @param house of the values that its names and ops may be of
 */
export function againstFloat(packed: Packed, batch: number, repeats: number, house: House = {}): AgainstFloat {
  const float = costs(floatTwin(packed, house), batch, repeats, house);
  const ours = costs(packed, batch, repeats, house);
  const binary = ours.nodes.filter(isBinary);
  return {
    float,
    packed: ours,
    binaryLayerBytes: { float: sumOf(binary, 'floatBytes'), packed: sumOf(binary, 'packedBytes') },
  };
}

export interface LayerTime {
  readonly name: string;
  readonly milliseconds: number;
}

/** Milliseconds of each convolution or dense layer, all its products together, with what follows it up to the next. */
export function layerTimes(nodes: readonly LayerSummary[]): LayerTime[] {
  const layers: { name: string; milliseconds: number }[] = [];
  for (const { name, bits, milliseconds } of nodes) {
    const layer = layers.at(-1);
    const begins = bits !== '' && !(layer && (name.startsWith(`${layer.name}#`) || name.startsWith(`${layer.name}.`)));
    if (begins || !layer) layers.push({ name, milliseconds });
    else layer.milliseconds += milliseconds;
  }
  return layers;
}

/** Of every packed layer, its float twin's milliseconds: by name; in files of before layers had names, by place. Null where it has none. */
export function twinTimes(float: readonly LayerTime[], packed: readonly LayerTime[]): (number | null)[] {
  const byName = new Map(float.map(({ name, milliseconds }) => [name, milliseconds]));
  const named = packed.some(({ name }) => byName.has(name));
  return packed.map(({ name }, i) => (named ? byName.get(name) : float[i]?.milliseconds) ?? null);
}
