import { PackError, UsageError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import type { Outputs } from '../models/outputs.ts';
import type { TapeNode } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Draft, DraftNode } from './draft.ts';
import { translations } from './ops/table.ts';
import type { Translation } from './translation.ts';

/** Translations by the name of the traced op: this package's and those of others. @throws UsageError when an op has one already */
export function allTranslations(others: readonly Translation[] = []): ReadonlyMap<string, Translation> {
  const all = new Map(translations.map((translation) => [translation.traced, translation]));
  for (const translation of others) {
    const { traced } = translation;
    if (all.has(traced))
      throw new UsageError(`the traced op ${quoted(traced)} has a packed form already; name yours otherwise`);
    all.set(traced, translation);
  }
  return all;
}

/**
 * The evaluation graph of one traced forward pass.
 *
 * @param names every op that depends on the image, in order, and what its node is called; all else is a constant and already folded into the
 * tensors of its reader
 * @param image the traced input [N,H,W,C]
 * @param outputs the traced outputs, by name
 * @throws PackError for an op without a packed form
 */
export function draftFromTrace(
  names: ReadonlyMap<TapeNode, string>,
  image: Tensor,
  outputs: Outputs,
  known: ReadonlyMap<string, Translation>,
): Draft {
  const ids = new Map<Tensor, number>([[image, 0]]);
  const nodes: DraftNode[] = [];
  const producer = (value: number) => nodes.find(({ node }) => node.output === value);
  for (const [trace, name] of names) {
    const translation = known.get(trace.op);
    if (!translation)
      throw new PackError(
        `pack: the op "${trace.op}" of this network has no packed form; give its translation (pack(…, { ops }); in a command --plugin <its file>), or keep it out of the evaluation graph`,
      );
    const inputs = trace.inputs.map((input) => ids.get(input)).filter((id) => id !== undefined);
    const at = { name, inputs, output: nodes.length + 1, expected: trace.output, producer };
    const made = translation.nodes(trace.attributes, at, trace.inputs);
    nodes.push(...made);
    ids.set(trace.output, made.at(-1)?.node.output ?? inputs[0]!);
  }
  const ends = Object.entries(outputs).map(([name, output]) => {
    const value = ids.get(output);
    if (value !== undefined && value > 0) return { name, value };
    throw new PackError(`pack: the output ${quoted(name)} does not depend on the input image`);
  });
  return { nodes, outputs: ends };
}
