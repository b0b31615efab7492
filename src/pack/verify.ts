import { argmax } from '../core/argmax.ts';
import { PackError } from '../core/errors.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { SignTensor, type Tensor } from '../tensor/tensor.ts';
import type { Draft } from './draft.ts';

function firstDifference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  for (let i = 0; i < expected.length; i++) if (ours[i] !== expected[i]) return i;
  return -1;
}

/**
 * Runs the packed model on the traced images and compares every value it computes with the float graph's, exactly.
 *
 * @throws PackError with the first layer that differs
 */
export function verify(model: PackedModel, draft: Draft, images: Tensor, logits: Tensor): void {
  const expected = new Map(draft.nodes.map(({ node, expected: tensor }) => [node.output, tensor]));
  const output = model.run(images.data, (node, value) => {
    const tensor = expected.get(node.output);
    if (!tensor) return;
    const [ours, theirs] = tensor instanceof SignTensor ? [value.words, tensor.words] : [value.floats, tensor.data];
    const at = firstDifference(ours, theirs);
    if (at < 0) return;
    throw new PackError(
      `pack: layer "${node.name}" (${node.op}) differs from the trained network at element ${at} of ${theirs.length}: ${ours[at]} instead of ${theirs[at]}. ` +
        'The packed file was not written; please report this with the model and method.',
    );
  });
  const classes = model.graph.classes.length;
  for (let row = 0; row < logits.rows; row++) {
    const [ours, theirs] = [output, logits.data].map((all) => argmax(all.subarray(row * classes, (row + 1) * classes)));
    if (ours !== theirs)
      throw new PackError(
        `pack: image ${row} is classified as ${ours} by the packed network, as ${theirs} by the trained one`,
      );
  }
}
