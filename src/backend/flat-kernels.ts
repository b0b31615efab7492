import { wordsPerRow } from '../core/bits.ts';
import type { ConvGeometry } from '../core/conv-geometry.ts';
import { convWords, copyWords, poolWords } from './geometry-words.ts';
import { type ArgumentKind, type FlatKernels, kernelTable } from './kernel-table.ts';
import { type BinaryPadding, type Kernels, type UnaryOp, unaryOps } from './kernels.ts';
import { PreparedLayout } from './prepared-filter.ts';

/** Both compiled backends store outputs of one group in panels of this many filters. */
const panelFilters = 32;

/** The native backend begins the panels on a cache line, wherever the array lies, and notes where that is (xnor.inl). */
const headWords = 17;

/** uint32 words of a prepared filter: panels of nibbles (one byte each, see xnor_nibbles.inl) or words, whichever is larger; whose they are. */
function preparedFilterWords(g: ConvGeometry): number {
  const groupOutputs = Math.ceil(g.outChannels / g.groups / panelFilters) * panelFilters;
  return (
    headWords +
    g.groups * groupOutputs * g.kernelHeight * g.kernelWidth * wordsPerRow(g.inChannels / g.groups) * 2 +
    g.kernelHeight * g.kernelWidth * g.outChannels +
    1
  );
}

type Flattening = Partial<Record<ArgumentKind, (value: never) => Int32Array | number>>;
/** What becomes of arguments that are neither arrays nor numbers. */
const flattening: Flattening = {
  conv: convWords,
  pool: poolWords,
  copy: copyWords,
  flag: Number,
  padding: (padding: BinaryPadding) => Number(padding === 'zero'),
  op: (op: UnaryOp) => unaryOps.indexOf(op),
};

type Call = (...args: unknown[]) => void;

/** A flat kernel under the arguments of `Kernels`; filters that it prepares are marked with their layout, those it takes are checked. */
function bound(flat: Call, kinds: readonly ArgumentKind[], layout: PreparedLayout): Call {
  const flattened = kinds.flatMap((kind, at) => {
    const flatten = flattening[kind] as ((value: unknown) => unknown) | undefined;
    return flatten ? [{ at, flatten }] : [];
  });
  if (flattened.length === 0) return flat;
  const call: Call = (...args) => {
    for (const { at, flatten } of flattened) args[at] = flatten(args[at]);
    flat(...args);
  };
  const [taken, made, geometry] = [kinds.indexOf('Pr'), kinds.indexOf('Pw'), kinds.indexOf('conv')];
  if (taken < 0 && made < 0) return call;
  return (...args) => {
    const g = args[geometry] as ConvGeometry;
    if (taken >= 0) layout.check(args[taken] as Uint32Array, g);
    call(...args);
    if (made >= 0) layout.mark(args[made] as Uint32Array, g);
  };
}

/** Turns a flat backend into the typed interface, by the kinds of `kernelTable`. */
export function bindFlatKernels(name: Kernels['name'], detail: string, flat: FlatKernels): Kernels {
  const layout = new PreparedLayout(`${name} ${detail}`, preparedFilterWords);
  const kernels = Object.entries(kernelTable).map(([kernel, { kinds }]) => [
    kernel,
    bound(flat[kernel as keyof FlatKernels] as Call, kinds, layout),
  ]);
  return { ...Object.fromEntries(kernels), name, detail, preparedFilterWords } as Kernels;
}
