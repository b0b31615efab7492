import { reshape as packed } from '../../runtime/ops/reshape.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

/** The same values with the same channels need no node. */
export const reshape = defineTranslation('reshape', 'keeps', (_, at, [x]) =>
  x!.channels === at.expected.channels ? [] : [nodeOf(packed, at, { shape: at.expected.shape.slice(1) })],
);
