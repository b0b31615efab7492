import * as z from 'zod/mini';
import { FormatError } from '../core/errors.ts';

/**
 * The packed graph as stored in a model file (packed-file.ts). Values are numbered; value 0 is the input image. A value is either
 * float [N,...shape] or packed signs with the same meaning. Tensors are named entries of the same safetensors file.
 */
const count = z.int().check(z.positive(), z.lte(1 << 24));
const index = z.int().check(z.nonnegative(), z.lte(1 << 20));
/** Sides, strides and borders of windows. */
const small = z.int().check(z.positive(), z.lte(1024));
const border = z.int().check(z.nonnegative(), z.lte(1024));
const offset = z.int().check(z.nonnegative(), z.lte(1 << 24));
const tensor = z.string().check(z.maxLength(200));
const shape = z.array(count).check(z.minLength(1), z.maxLength(4));
/** JSON has no infinity. */
const bound = z.union([z.number(), z.literal('-inf'), z.literal('inf')]);

const common = {
  name: z.string(),
  inputs: z.array(index).check(z.minLength(1), z.maxLength(64)),
  output: index,
  shape,
};
const conv = { kernel: z.tuple([small, small]), stride: small, pad: border, dilation: small, groups: count };
const pool = { window: small, stride: small, pad: border };
const binary = { ...conv, padding: z.enum(['zero', 'one']), filter: tensor };

const codes = { thresholds: tensor, patterns: tensor, levels: z.int().check(z.positive(), z.lte(256)) };

const node = z.discriminatedUnion('op', [
  z.object({ ...common, ...conv, op: z.literal('conv2d'), filter: tensor, codeScale: z.optional(tensor) }),
  z.object({ ...common, ...conv, op: z.literal('signConv2d'), filter: tensor, alpha: tensor }),
  z.object({
    ...common,
    ...binary,
    op: z.literal('xnorConv2d'),
    alpha: tensor,
    scale: z.optional(tensor),
    shift: z.optional(tensor),
  }),
  z.object({ ...common, ...binary, op: z.literal('xnorConv2dThreshold'), threshold: tensor, flip: tensor }),
  z.object({ ...common, ...conv, op: z.literal('planesConv2d'), filter: tensor, scale: tensor }),
  z.object({
    ...common,
    /** Bit-plane of codes by comparison, see core/level-codes.ts. */
    op: z.literal('codePlane'),
    ...codes,
    plane: z.int().check(z.nonnegative(), z.lte(7)),
  }),
  z.object({ ...common, op: z.literal('sign') }),
  z.object({ ...common, op: z.literal('affineSign'), scale: tensor, shift: tensor }),
  z.object({ ...common, op: z.literal('affine'), scale: tensor, shift: tensor, low: bound, high: bound }),
  z.object({
    ...common,
    op: z.literal('dense'),
    weight: tensor,
    codeScale: z.optional(tensor),
    bias: z.optional(tensor),
  }),
  z.object({ ...common, op: z.literal('prelu'), slope: tensor }),
  z.object({ ...common, op: z.enum(['relu', 'hardtanh', 'sigmoid', 'tanh', 'softsign']) }),
  z.object({ ...common, ...codes, op: z.literal('codeLevels'), step: z.number() }),
  z.object({ ...common, op: z.literal('unitLevels'), bits: count }),
  z.object({
    ...common,
    op: z.enum([
      'add',
      'multiply',
      'pixelScale',
      'channelAbsMean',
      'sampleScale',
      'sampleAbsMean',
      'signResidual',
      'channelGate',
      'concat',
      'globalAvgPool',
      'reshape',
    ]),
  }),
  z.object({
    ...common,
    op: z.literal('interact'),
    edges: z
      .array(z.object({ from: index, to: index, direction: z.union([z.literal(1), z.literal(-1)]) }))
      .check(z.maxLength(10_000)),
    sureFrom: z.number(),
    step: z.number(),
  }),
  z.object({ ...common, op: z.literal('scale'), factor: z.number() }),
  z.object({ ...common, op: z.literal('sampleNormalise'), centred: z.boolean() }),
  z.object({ ...common, op: z.literal('addOuter'), factors: tensor }),
  z.object({ ...common, op: z.enum(['positionScale', 'positionShift']), map: tensor }),
  z.object({ ...common, ...pool, op: z.enum(['maxPool', 'avgPool']) }),
  /** Of thresholds of the values that are pooled; `falling` marks channels whose threshold flips. */
  z.object({ ...common, ...pool, op: z.literal('maxPoolSigns'), falling: tensor }),
  z.object({ ...common, op: z.literal('subsamplePad'), stride: count }),
  z.object({ ...common, op: z.literal('sliceChannels'), begin: offset, end: count }),
]);

/** Stored codes are bytes: the code plus this. */
export const codeOffset = 128;

const graph = z.object({
  model: z.string(),
  method: z.string(),
  /** Multiple of the published channel counts. */
  width: z.number().check(z.positive()),
  input: z.tuple([count, count, count]),
  classes: z.array(z.string()).check(z.minLength(2), z.maxLength(100_000)),
  /** Per channel: images are (pixel/255 - mean)/std. */
  mean: z.array(z.number()),
  std: z.array(z.number().check(z.positive())),
  nodes: z.array(node).check(z.minLength(1), z.maxLength(10_000)),
  output: index,
  /** Bytes of the float32 weights this file replaces. */
  floatBytes: z.int().check(z.nonnegative()),
});

export type PackedNode = z.infer<typeof node>;
export type PackedGraph = z.infer<typeof graph>;
export type OpName = PackedNode['op'];

/** @throws FormatError naming the first field that is wrong */
export function parseGraph(text: string): PackedGraph {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(
      `the model's graph is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const parsed = graph.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new FormatError(
      `the model's graph is damaged at ${issue?.path.join('.') || 'its root'}: ${issue?.message ?? 'invalid'}`,
    );
  }
  return parsed.data;
}

export const boundOf = (value: number | '-inf' | 'inf'): number =>
  value === 'inf' ? Number.POSITIVE_INFINITY : value === '-inf' ? Number.NEGATIVE_INFINITY : value;

export const boundText = (value: number): number | '-inf' | 'inf' =>
  value === Number.POSITIVE_INFINITY ? 'inf' : value === Number.NEGATIVE_INFINITY ? '-inf' : value;
