import { reshape as packed } from '../../runtime/ops/reshape.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

/** The same values with the same channels need no node. */
export const reshape = defineTranslation('reshape', 'keeps', ({ inputs: [x], output }, at) =>
  x!.channels === output.channels ? [] : [nodeOf(packed, at, { shape: output.shape.slice(1) })],
);
