import { argmax } from '../core/argmax.ts';
import { PackError } from '../core/errors.ts';
import type { Outputs } from '../models/outputs.ts';
import type { PackedNode } from '../runtime/graph.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import type { ProvedEqual } from '../runtime/proof.ts';
import { classification } from '../runtime/tasks/classification.ts';
import { SignTensor, type Tensor } from '../tensor/tensor.ts';
import type { Draft } from './draft.ts';

/** Where a layer's values are not the trained network's. */
interface Difference {
  readonly node: PackedNode;
  readonly signs: boolean;
  readonly first: number;
  readonly count: number;
  readonly of: number;
  readonly ours: number;
  readonly theirs: number;
  /** Largest difference over largest magnitude. */
  readonly relative: number;
}

function difference(
  node: PackedNode,
  signs: boolean,
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
): Difference | null {
  let [first, count, worst, largest] = [-1, 0, 0, 0];
  for (let i = 0; i < theirs.length; i++) {
    largest = Math.max(largest, Math.abs(theirs[i]!));
    if (ours[i] === theirs[i]) continue;
    if (first < 0) first = i;
    count++;
    const apart = Math.abs(ours[i]! - theirs[i]!);
    worst = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(worst, apart);
  }
  if (first < 0) return null;
  return {
    node,
    signs,
    first,
    count,
    of: theirs.length,
    ours: ours[first]!,
    theirs: theirs[first]!,
    relative: worst / largest,
  };
}

const told = ({ node, signs, first, count, of, ours, theirs }: Difference) =>
  `layer "${node.name}" (${node.op}) differs from the trained network in ${count} of ${of} ${signs ? 'words of signs' : 'values'}, first at element ${first}: ${ours} instead of ${theirs}`;

/** An image that a classifier takes for another class than the trained one does; -1 where none is, and of other tasks. */
function otherClass({ graph: { task, classes } }: PackedModel, ours: Float32Array, theirs: Tensor): number {
  if (task.id !== classification.id) return -1;
  const classOf = (all: Float32Array, row: number) =>
    argmax(all.subarray(row * classes.length, (row + 1) * classes.length));
  const rows = Array.from({ length: theirs.rows }, (_, row) => row);
  return rows.findIndex((row) => classOf(ours, row) !== classOf(theirs.data, row));
}

/** Layers and outputs that differ, in their order, and the first image of another class, or -1. */
function differences(model: PackedModel, draft: Draft, images: Tensor, outputs: Outputs): [Difference[], number] {
  const expected = new Map(draft.nodes.map(({ node, expected: tensor }) => [node.output, tensor]));
  const found: Difference[] = [];
  const { inputs, nodes } = model.graph;
  const answers = model.runAll({ [inputs[0]!.name]: images.data }, (node, value) => {
    const tensor = expected.get(node.output);
    if (!tensor) return;
    const signs = tensor instanceof SignTensor;
    const differs = signs
      ? difference(node, signs, value.words, tensor.words)
      : difference(node, signs, value.floats, tensor.data);
    if (differs) found.push(differs);
  });
  for (const { name, value } of draft.outputs) {
    const node = nodes.find(({ output }) => output === value)!;
    const differs = difference({ ...node, name: `output ${name}` }, false, answers[name]!, outputs[name]!.data);
    if (differs && !found.some((other) => other.node.output === value)) found.push(differs);
  }
  const first = draft.outputs[0]!.name;
  return [found, otherClass(model, answers[first]!, outputs[first]!)];
}

/**
 * Runs the packed model on the traced images and compares every value it computes with the float graph's, exactly.
 *
 * @throws PackError with the first layer that differs
 */
export function verify(model: PackedModel, draft: Draft, images: Tensor, outputs: Outputs): void {
  const [[first], row] = differences(model, draft, images, outputs);
  if (first)
    throw new PackError(
      `pack: ${told(first)}. The packed file was not written; please report this with the model and method.`,
    );
  if (row >= 0)
    throw new PackError(`pack: image ${row} is classified otherwise by the packed network than by the trained one`);
}

/** As kernels promise of sums of floats on different backends. */
const tolerance = 1e-4;

/**
 * The same on a backend that the network was not traced on, which may round sums of floats otherwise: signs and classes must be equal.
 *
 * @throws PackError with the first layer whose signs differ, or whose floats differ by more than rounding
 */
export function verifyElsewhere(
  model: PackedModel,
  draft: Draft,
  images: Tensor,
  outputs: Outputs,
  backend: string,
): ProvedEqual {
  const [found, row] = differences(model, draft, images, outputs);
  if (found.length === 0) return 'values';
  const broken = found.find(({ signs, relative }) => signs || relative > tolerance);
  if (!broken && row < 0) return 'signs';
  const what = broken ? told(broken) : `image ${row} gets another class`;
  const because = broken === found[0] ? '' : `; the first that differs is: ${told(found[0]!)}`;
  throw new PackError(
    `pack: on ${backend}, ${what}${because}. Sums of floats are rounded otherwise there (ARCHITECTURE.md, Exactness). ` +
      `The packed file was not written; without --verify ${backend} it is, and says that it was not proved on ${backend}.`,
  );
}
