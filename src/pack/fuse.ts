import type { NodeOf } from '../runtime/op.ts';
import { affine, boundOf } from '../runtime/ops/affine.ts';
import { affineSign } from '../runtime/ops/affine-sign.ts';
import { maxPool } from '../runtime/ops/max-pool.ts';
import { maxPoolSigns } from '../runtime/ops/max-pool-signs.ts';
import { sign } from '../runtime/ops/sign.ts';
import { xnorConv2d } from '../runtime/ops/xnor-conv2d.ts';
import { xnorConv2dThreshold } from '../runtime/ops/xnor-conv2d-threshold.ts';
import { consumers, type Draft, type DraftNode, isOp, producers } from './draft.ts';
import { foldThresholds } from './threshold.ts';
import { nodeOf } from './translation.ts';

/** What takes the place of a node and its producer (and the producer's producer, where the rule looks that far). */
type Fused = readonly [DraftNode, ...DraftNode[]];
interface Rule {
  /** How many nodes before the candidate the rule takes in. */
  readonly depth: 1 | 2;
  readonly fuse: (node: DraftNode, producer: DraftNode, before: DraftNode) => Fused | null;
}

/** The affine map changes no sign by its clamp and adds no residual. */
const keepsSign = (node: NodeOf<typeof affine>): boolean =>
  node.inputs.length === 1 && boundOf(node.low) < 0 && boundOf(node.high) >= 0;

/** sign(affine(x)) -> affineSign(x) */
const signOfAffine: Rule['fuse'] = (candidate, producer) => {
  if (!isOp(candidate, sign) || !isOp(producer, affine) || !keepsSign(producer.node)) return null;
  const { scale, shift, inputs } = producer.node;
  const node = { ...candidate.node, op: affineSign.op, inputs, scale, shift };
  return [{ ...candidate, op: affineSign, node, tensors: producer.tensors }];
};

const floatsOf = ({ tensors }: DraftNode, name: string) => tensors.get(name)!.data as Float32Array;

/** The convolution with the affine map and the sign folded into integer thresholds. */
function thresholded(candidate: DraftNode, producer: DraftNode): DraftNode | null {
  if (!isOp(candidate, affineSign) || !isOp(producer, xnorConv2d) || producer.node.scale) return null;
  const { alpha, ...conv } = producer.node;
  const [bits, alphas] = [producer.tensors.get(conv.filter)!, floatsOf(producer, alpha)];
  // the largest sum of products: the bits of one filter
  const reach = Math.ceil((8 * bits.data.length) / alphas.length);
  const [scale, shift] = [floatsOf(candidate, candidate.node.scale), floatsOf(candidate, candidate.node.shift)];
  const { threshold, flip } = foldThresholds(reach, alphas, scale, shift);
  const names = { threshold: `${conv.name}.threshold`, flip: `${conv.name}.flip` };
  const tensors = new Map([
    [conv.filter, bits],
    [names.threshold, { shape: [threshold.length], data: threshold }],
    [names.flip, { shape: [flip.length], data: flip }],
  ]);
  return { op: xnorConv2dThreshold, node: { ...conv, op: xnorConv2dThreshold.op, ...names }, tensors, expected: null };
}

/** affineSign(xnorConv(x)) -> xnorConvThreshold(x): the whole block is integers and one comparison. */
const thresholdConv: Rule['fuse'] = (candidate, producer) => {
  const conv = thresholded(candidate, producer);
  if (!conv) return null;
  return [{ ...conv, node: { ...conv.node, output: candidate.node.output }, expected: candidate.expected }];
};

/**
 * affineSign(maxPool(xnorConv(x))) -> maxPoolSigns(xnorConvThreshold(x)): a threshold and a maximum commute, as rounding keeps
 * the affine map monotone, and pooling bits moves a thirty-second of the memory.
 */
const thresholdPooledConv: Rule['fuse'] = (candidate, producer, before) => {
  if (!isOp(candidate, affineSign) || !isOp(producer, maxPool)) return null;
  const conv = thresholded(candidate, before);
  if (!conv) return null;
  const scale = floatsOf(candidate, candidate.node.scale);
  const { name, window, stride, pad } = producer.node;
  const { output } = candidate.node;
  const falling = { shape: [scale.length], data: Int32Array.from(scale, (s) => Number(s < 0)) };
  const at = { name, inputs: [conv.node.output], output, expected: candidate.expected };
  return [conv, nodeOf(maxPoolSigns, at, { window, stride, pad, falling })];
};

/** affine(xnorConv(x)) without residual or clamp -> xnorConv with the affine map in its epilogue */
const affineOfConv: Rule['fuse'] = (candidate, producer) => {
  if (!isOp(candidate, affine) || !isOp(producer, xnorConv2d) || producer.node.scale) return null;
  const { inputs, low, high, scale, shift, output } = candidate.node;
  if (inputs.length !== 1 || low !== '-inf' || high !== 'inf') return null;
  const tensors = new Map([...producer.tensors, ...candidate.tensors]);
  return [{ ...producer, node: { ...producer.node, output, scale, shift }, tensors, expected: candidate.expected }];
};

function applyRule(draft: Draft, { depth, fuse: fuseNodes }: Rule): Draft {
  const readers = consumers(draft);
  const producer = producers(draft);
  /** The node that alone feeds this one, if there is one. */
  const soleProducer = ({ node }: DraftNode) => {
    const before = producer.get(node.inputs[0]!);
    return before && readers.get(before.node.output) === 1 ? before : undefined;
  };
  const absorbed = new Set<DraftNode>();
  const nodes = draft.nodes.flatMap((candidate) => {
    const first = soleProducer(candidate);
    const last = depth === 1 ? first : first && soleProducer(first);
    const fused = first && last ? fuseNodes(candidate, first, last) : null;
    if (fused === null) return [candidate];
    absorbed.add(first!).add(last!);
    return fused;
  });
  return { ...draft, nodes: nodes.filter((node) => !absorbed.has(node)) };
}

/** Drops nodes that nothing reads any more, e.g. float levels whose readers took the bit-planes. */
function dropUnread(draft: Draft): Draft {
  const readers = consumers(draft);
  const nodes = draft.nodes.filter(({ node }) => readers.has(node.output));
  return nodes.length === draft.nodes.length ? draft : dropUnread({ ...draft, nodes });
}

/** Replaces chains of nodes by one packed op each; a value is absorbed only when nothing else reads it. */
export function fuse(draft: Draft): Draft {
  const rules: Rule[] = [
    { depth: 1, fuse: signOfAffine },
    { depth: 2, fuse: thresholdPooledConv },
    { depth: 1, fuse: thresholdConv },
    { depth: 1, fuse: affineOfConv },
  ];
  return rules.reduce(applyRule, dropUnread(draft));
}
