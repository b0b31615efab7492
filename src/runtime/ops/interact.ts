import { finite, list, oneOf, record } from '../../core/fields.ts';
import { interact as correct } from '../../exact/interaction.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, index } from '../op.ts';

const edge = record({ from: index, to: index, direction: oneOf(1, -1) });

/** Channels that are sure of their sign correct others (CI-BCNN). */
export const interact = definePackedOp('interact', { edges: list(edge, 0, 10_000), sureFrom: finite, step: finite })({
  ...elementwise,
  shape: ({ edges }, [x]) => (edges.every(({ from, to }) => Math.max(from, to) < x!.at(-1)!) ? x! : null),
  prepare: ({ node, output }) =>
    floatWork(([x], y) => {
      y.floats.set(x!.floats);
      correct(y.floats, channelsOf(output), node);
    }),
});
