import type { Interaction } from '../../exact/interaction.ts';
import { interact as packed } from '../../runtime/ops/interact.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const interact = defineTranslation(
  'interact',
  'computes',
  ({ attributes: { interaction } }: Trace<{ interaction: Interaction }>, at) => {
    const { edges, sureFrom, step } = interaction;
    return [nodeOf(packed, at, { edges: [...edges], sureFrom, step })];
  },
);
