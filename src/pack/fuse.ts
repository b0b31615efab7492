import type { StoredTensor } from '../core/safetensors.ts';
import { boundOf, type PackedNode } from '../runtime/graph.ts';
import { consumers, type Draft, type DraftNode, producers } from './draft.ts';
import { foldThresholds } from './threshold.ts';

/** What takes the place of a node and its producer (and the producer's producer, where the rule looks that far). */
type Fused = readonly [DraftNode, ...DraftNode[]];
interface Rule {
  /** How many nodes before the candidate the rule takes in. */
  readonly depth: 1 | 2;
  readonly fuse: (node: DraftNode, producer: DraftNode, before: DraftNode) => Fused | null;
}
type NodeOf<O extends PackedNode['op']> = Extract<PackedNode, { op: O }>;

const floatsOf = (draft: DraftNode, name: string) => draft.tensors.get(name)!.data as Float32Array;
const isOp = <O extends PackedNode['op']>(node: PackedNode, op: O): node is NodeOf<O> => node.op === op;

/** The affine map changes no sign by its clamp and adds no residual. */
function keepsSign(node: NodeOf<'affine'>): boolean {
  return node.inputs.length === 1 && boundOf(node.low) < 0 && boundOf(node.high) >= 0;
}

/** sign(affine(x)) -> affineSign(x) */
const signOfAffine: Rule['fuse'] = ({ node, expected }, producer) => {
  if (!isOp(node, 'sign') || !isOp(producer.node, 'affine') || !keepsSign(producer.node)) return null;
  const { scale, shift, inputs } = producer.node;
  return [
    {
      node: { name: node.name, op: 'affineSign', inputs, output: node.output, shape: node.shape, scale, shift },
      tensors: producer.tensors,
      expected,
    },
  ];
};

/** The convolution with the affine map and the sign folded into integer thresholds; its output keeps `shape`. */
function thresholded(affineSign: DraftNode, producer: DraftNode): DraftNode | null {
  const { node, tensors } = affineSign;
  if (!isOp(node, 'affineSign') || !isOp(producer.node, 'xnorConv2d') || producer.node.scale) return null;
  const { alpha, ...conv } = producer.node;
  const bits = producer.tensors.get(conv.filter)!;
  const alphas = floatsOf(producer, alpha);
  // the largest sum of products: the bits of one filter
  const reach = Math.ceil((8 * bits.data.length) / alphas.length);
  const { threshold, flip } = foldThresholds(
    reach,
    alphas,
    tensors.get(node.scale)!.data as Float32Array,
    tensors.get(node.shift)!.data as Float32Array,
  );
  const channels = [alphas.length];
  const folded = new Map<string, StoredTensor>([
    [conv.filter, bits],
    [`${conv.name}.threshold`, { shape: channels, data: threshold }],
    [`${conv.name}.flip`, { shape: channels, data: flip }],
  ]);
  const names = { threshold: `${conv.name}.threshold`, flip: `${conv.name}.flip` };
  return { node: { ...conv, op: 'xnorConv2dThreshold', ...names }, tensors: folded, expected: null };
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
  if (!isOp(candidate.node, 'affineSign') || producer.node.op !== 'maxPool') return null;
  const conv = thresholded(candidate, before);
  if (!conv) return null;
  const scale = floatsOf(candidate, candidate.node.scale);
  const falling = `${producer.node.name}.falling`;
  const { name, shape, window, stride, pad } = producer.node;
  return [
    conv,
    {
      node: {
        name,
        op: 'maxPoolSigns',
        inputs: [conv.node.output],
        output: candidate.node.output,
        shape,
        window,
        stride,
        pad,
        falling,
      },
      tensors: new Map([[falling, { shape: [scale.length], data: Int32Array.from(scale, (s) => Number(s < 0)) }]]),
      expected: candidate.expected,
    },
  ];
};

/** affine(xnorConv(x)) without residual or clamp -> xnorConv with the affine map in its epilogue */
const affineOfConv: Rule['fuse'] = ({ node, tensors, expected }, producer) => {
  if (!isOp(node, 'affine') || node.inputs.length !== 1 || node.low !== '-inf' || node.high !== 'inf') return null;
  if (!isOp(producer.node, 'xnorConv2d') || producer.node.scale) return null;
  const merged = new Map([...producer.tensors, ...tensors]);
  return [
    {
      node: { ...producer.node, output: node.output, scale: node.scale, shift: node.shift },
      tensors: merged,
      expected,
    },
  ];
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
