import { parseBoundedJson } from '../core/bounded-json.ts';
import { FormatError } from '../core/errors.ts';
import {
  either,
  finite,
  flag,
  kinds,
  list,
  oneOf,
  optional,
  positive,
  type Read,
  type Reader,
  record,
  text,
  whole,
} from '../core/fields.ts';

/**
 * The packed graph as stored in a model file (packed-file.ts). Values are numbered; value 0 is the input image. A value is either
 * float [N,...shape] or packed signs with the same meaning. Tensors are named entries of the same safetensors file.
 */
const count = whole(1, 1 << 24);
const index = whole(0, 1 << 20);
/** Sides, strides and borders of windows. */
const small = whole(1, 1024);
const border = whole(0, 1024);
const tensor = text(200);
const name = text(1000);
/** JSON has no infinity. */
const bound = either(finite, oneOf('-inf', 'inf'));
const pair = list(small, 2, 2) as Reader<[number, number]>;
const triple = list(count, 3, 3) as Reader<[number, number, number]>;

const common = { name, inputs: list(index, 1, 64), output: index, shape: list(count, 1, 4) };
const conv = { ...common, kernel: pair, stride: small, pad: border, dilation: small, groups: count, filter: tensor };
const pool = { ...common, window: small, stride: small, pad: border };
const binary = { ...conv, padding: oneOf('zero', 'one') };
const codes = { ...common, thresholds: tensor, patterns: tensor, levels: whole(1, 256) };
const edge = record({ from: index, to: index, direction: oneOf(1, -1) });

const ops = {
  conv2d: { ...conv, codeScale: optional(tensor) },
  signConv2d: { ...conv, alpha: tensor },
  xnorConv2d: { ...binary, alpha: tensor, scale: optional(tensor), shift: optional(tensor) },
  xnorConv2dThreshold: { ...binary, threshold: tensor, flip: tensor },
  planesConv2d: { ...conv, scale: tensor },
  /** Bit-plane of codes by comparison, see exact/level-codes.ts. */
  codePlane: { ...codes, plane: whole(0, 7) },
  sign: common,
  affineSign: { ...common, scale: tensor, shift: tensor },
  affine: { ...common, scale: tensor, shift: tensor, low: bound, high: bound },
  dense: { ...common, weight: tensor, codeScale: optional(tensor), bias: optional(tensor) },
  prelu: { ...common, slope: tensor },
  relu: common,
  hardtanh: common,
  sigmoid: common,
  tanh: common,
  softsign: common,
  codeLevels: { ...codes, step: finite },
  /** Absent ties: halves go up. */
  unitLevels: { ...common, bits: whole(1, 31), ties: optional(oneOf('even')) },
  add: common,
  multiply: common,
  pixelScale: common,
  channelAbsMean: common,
  sampleScale: common,
  sampleAbsMean: common,
  signResidual: common,
  channelGate: common,
  concat: common,
  globalAvgPool: common,
  reshape: common,
  interact: { ...common, edges: list(edge, 0, 10_000), sureFrom: finite, step: finite },
  scale: { ...common, factor: finite },
  sampleNormalise: { ...common, centred: flag },
  addOuter: { ...common, factors: tensor },
  positionScale: { ...common, map: tensor },
  positionShift: { ...common, map: tensor },
  maxPool: pool,
  avgPool: pool,
  /** Of thresholds of the values that are pooled; `falling` marks channels whose threshold flips. */
  maxPoolSigns: { ...pool, falling: tensor },
  subsamplePad: { ...common, stride: count },
  sliceChannels: { ...common, begin: whole(0, 1 << 24), end: count },
};
const node = kinds('op', ops);

/** Stored codes are bytes: the code plus this. */
export const codeOffset = 128;

const graph = record({
  model: name,
  method: name,
  /** Multiple of the published channel counts. */
  width: positive,
  input: triple,
  classes: list(name, 2, 100_000),
  /** Per channel: images are (pixel/255 - mean)/std. */
  mean: list(finite, 1, 1 << 16),
  std: list(positive, 1, 1 << 16),
  nodes: list(node, 1, 10_000),
  output: index,
  /** Bytes of the float32 weights this file replaces. */
  floatBytes: whole(0, Number.MAX_SAFE_INTEGER),
});

/** One op of a packed network; its fields hang on `op`. */
export type PackedNode = Read<typeof node>;
/** A packed network without its tensors: what goes in, the ops in their order, what comes out. */
export type PackedGraph = Read<typeof graph>;
export type OpName = PackedNode['op'];

/** More than any graph that the fields above allow. */
const most = { depth: 5, values: 1 << 20 };

/** @throws FormatError naming the first field that is wrong */
export function parseGraph(json: string): PackedGraph {
  try {
    const read = graph(parseBoundedJson(json, most), '');
    for (const key of ['mean', 'std'] as const) list(finite, read.input[2], read.input[2])(read[key], key);
    return read;
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`the model's graph is damaged: ${error.message}`);
    throw error;
  }
}

export const boundOf = (value: number | '-inf' | 'inf'): number =>
  value === 'inf' ? Number.POSITIVE_INFINITY : value === '-inf' ? Number.NEGATIVE_INFINITY : value;

export const boundText = (value: number): number | '-inf' | 'inf' =>
  value === Number.POSITIVE_INFINITY ? 'inf' : value === Number.NEGATIVE_INFINITY ? '-inf' : value;
