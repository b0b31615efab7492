import type { Interaction } from '../../exact/interaction.ts';
import { interact as packed } from '../../runtime/ops/interact.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

export const interact = defineTranslation('interact', 'computes', (given: { interaction: Interaction }, at) => {
  const { edges, sureFrom, step } = given.interaction;
  return [nodeOf(packed, at, { edges: [...edges], sureFrom, step })];
});
