import { kernels } from '../backend/select.ts';
import { learningOutput } from '../binarize/quantizer.ts';
import { Random } from '../core/random.ts';
import type { Edge, Interaction } from '../exact/interaction.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import { channelInteraction } from '../tensor/ops/interaction.ts';
import { bnn } from './bnn.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/** Edges of a layer at most, and no more than it has channels. */
const mostEdges = 100;
/** A change of the loss counts from here on. */
const noticeable = 0.003;
/** Share of the training before the first edge, and before edges are final. */
const [miningFrom, miningTo] = [0.2, 0.9];
/** Every how many steps an edge is tried. */
const every = 8;
/** Share of the trials that take an edge away. */
const deletions = 0.2;

/** Three numbers an edge: from, to, direction; direction 0: none. */
function edgesOf(stored: Float32Array): Edge[] {
  const edges: Edge[] = [];
  for (let i = 0; i < stored.length; i += 3)
    if (stored[i + 2] !== 0)
      edges.push({ from: stored[i]!, to: stored[i + 1]!, direction: stored[i + 2]! > 0 ? 1 : -1 });
  return edges;
}

/**
 * Sure from 2.5 standard deviations of a random dot product on. The published 200, for windows of 720 to 2,880 bits, are four to seven; at
 * five, one position in forty of a trained ResNet-20 would be. The step is half of it, as published.
 */
export function interactionOf(stored: Float32Array, inputs: number): Interaction {
  const deviation = Math.sqrt(inputs);
  return { edges: edgesOf(stored), sureFrom: Math.round(2.5 * deviation), step: Math.round(1.25 * deviation) };
}

const interacting = learningOutput(
  ({ weight }) => ({
    kept: {
      edges: new Float32Array(3 * Math.min(mostEdges, weight.channels)),
      confidence: new Float32Array(weight.channels),
      inputs: Float32Array.of(weight.rows),
    },
  }),
  (y, { kept }, _input, context) => {
    if (context.training) kernels().columnAbsSums(y.data, kept['confidence']!, y.rows, y.channels);
    const interaction = interactionOf(kept['edges']!, kept['inputs']![0]!);
    return interaction.edges.length > 0 ? channelInteraction(y, interaction) : y;
  },
);

/** Tries one change of one layer's graph on the batch at hand: what lowers the loss stays, what only costs goes. */
function mine({ kept }: BinaryLayer, random: Random, lossNow: () => number): void {
  const [stored, confidence] = [kept['edges']!.data, kept['confidence']!.data];
  const before = stored.slice();
  const taken = Array.from({ length: stored.length / 3 }, (_, i) => i).filter((i) => stored[3 * i + 2] !== 0);
  const free = stored.length / 3 - taken.length;
  const deletes = taken.length > 0 && (free === 0 || random.uniform() < deletions);
  if (deletes) stored[3 * taken[random.integer(taken.length)]! + 2] = 0;
  else {
    const [a, b] = [random.integer(confidence.length), random.integer(confidence.length)];
    if (a === b) return;
    // the surer of the two tells the other
    const [from, to] = confidence[a]! >= confidence[b]! ? [a, b] : [b, a];
    const place = Array.from({ length: stored.length / 3 }, (_, i) => i).find((i) => stored[3 * i + 2] === 0)!;
    stored.set([from, to, random.uniform() < 0.5 ? -1 : 1], 3 * place);
  }
  const changed = stored.slice();
  stored.set(before);
  const base = lossNow();
  stored.set(changed);
  const gain = base - lossNow();
  const stays = deletes ? gain > -noticeable : gain > noticeable;
  if (!stays) stored.set(before);
}

const mining: UpdateRule = {
  beforeStep: (layers, { progress, step, lossNow }) => {
    if (!lossNow || progress < miningFrom || progress >= miningTo || step % every !== 0) return;
    const random = new Random(step);
    mine(layers[random.integer(layers.length)]!, random, lossNow);
  },
};

/**
 * CI-BCNN: along the edges of a graph over a layer's output maps, dot products that are sure of their sign correct others (Wang et al., CVPR
 * 2019, eq. 3-4; survey [86]). The graph is found by greedy trials with the paper's reward, a change of the loss by 0.003, in place of
 * its reinforcement-learning agent; corrections are antisymmetric, where the published code's positive edges are not.
 */
export const ciBcnn: Method = defineMethod({
  ...bnn,
  id: 'ci-bcnn',
  title: 'Channel-wise Interaction-based BCNN',
  paper: 'Wang et al., CVPR 2019',
  family: 'loss',
  output: interacting,
  update: mining,
  structure: { ...bnn.structure, firstLast: 'float' },
});
