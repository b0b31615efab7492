import type { StoredTensor } from '../core/safetensors.ts';
import { boundOf, type PackedNode } from '../runtime/graph.ts';
import { consumers, type Draft, type DraftNode, producers } from './draft.ts';
import { foldThresholds } from './threshold.ts';

type Rule = (node: DraftNode, producer: DraftNode) => DraftNode | null;
type NodeOf<O extends PackedNode['op']> = Extract<PackedNode, { op: O }>;

const floatsOf = (draft: DraftNode, name: string) => draft.tensors.get(name)!.data as Float32Array;
const isOp = <O extends PackedNode['op']>(node: PackedNode, op: O): node is NodeOf<O> => node.op === op;

/** The affine map changes no sign by its clamp and adds no residual. */
function keepsSign(node: NodeOf<'affine'>): boolean {
  return node.inputs.length === 1 && boundOf(node.low) < 0 && boundOf(node.high) >= 0;
}

/** sign(affine(x)) -> affineSign(x) */
const signOfAffine: Rule = ({ node, expected }, producer) => {
  if (!isOp(node, 'sign') || !isOp(producer.node, 'affine') || !keepsSign(producer.node)) return null;
  const { scale, shift, inputs } = producer.node;
  return {
    node: { name: node.name, op: 'affineSign', inputs, output: node.output, shape: node.shape, scale, shift },
    tensors: producer.tensors,
    expected,
  };
};

/** affineSign(xnorConv(x)) -> xnorConvThreshold(x): the whole block is integers and one comparison. */
const thresholdConv: Rule = ({ node, tensors, expected }, producer) => {
  if (!isOp(node, 'affineSign') || !isOp(producer.node, 'xnorConv2d') || producer.node.scale) return null;
  const { alpha, ...conv } = producer.node;
  const words = producer.tensors.get(conv.filter)!;
  const alphas = floatsOf(producer, alpha);
  const [, taps] = words.shape as [number, number, number];
  // the words hold whole 64-bit rows; the exact reach is at most their bits
  const reach = taps * words.shape[2]! * 32;
  const { threshold, flip } = foldThresholds(
    reach,
    alphas,
    tensors.get(node.scale)!.data as Float32Array,
    tensors.get(node.shift)!.data as Float32Array,
  );
  const channels = [alphas.length];
  const folded = new Map<string, StoredTensor>([
    [conv.filter, words],
    [`${conv.name}.threshold`, { shape: channels, data: threshold }],
    [`${conv.name}.flip`, { shape: channels, data: flip }],
  ]);
  return {
    node: {
      ...conv,
      op: 'xnorConv2dThreshold',
      output: node.output,
      shape: conv.shape,
      threshold: `${conv.name}.threshold`,
      flip: `${conv.name}.flip`,
    },
    tensors: folded,
    expected,
  };
};

/** affine(xnorConv(x)) without residual or clamp -> xnorConv with the affine map in its epilogue */
const affineOfConv: Rule = ({ node, tensors, expected }, producer) => {
  if (!isOp(node, 'affine') || node.inputs.length !== 1 || node.low !== '-inf' || node.high !== 'inf') return null;
  if (!isOp(producer.node, 'xnorConv2d') || producer.node.scale) return null;
  const merged = new Map([...producer.tensors, ...tensors]);
  return {
    node: { ...producer.node, output: node.output, scale: node.scale, shift: node.shift },
    tensors: merged,
    expected,
  };
};

function applyRule(draft: Draft, rule: Rule): Draft {
  const readers = consumers(draft);
  const producer = producers(draft);
  const absorbed = new Set<DraftNode>();
  const nodes = draft.nodes.map((candidate) => {
    const before = producer.get(candidate.node.inputs[0]!);
    if (!before || readers.get(before.node.output) !== 1) return candidate;
    const fused = rule(candidate, before);
    if (fused === null) return candidate;
    absorbed.add(before);
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
  return [signOfAffine, thresholdConv, affineOfConv].reduce(applyRule, dropUnread(draft));
}
