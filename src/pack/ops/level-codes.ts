import type { LevelCodes } from '../../exact/level-codes.ts';
import { codeLevels } from '../../runtime/ops/code-levels.ts';
import { codesOf, defineTranslation, nodeOf } from '../translation.ts';

/** Few-bit activations as floats, for readers that multiply floats; dropped when all read the bit-planes. */
export const levelCodes = defineTranslation(
  'levelCodes',
  'computes',
  (given: { codes: LevelCodes; step: number }, at) => [
    nodeOf(codeLevels, at, { ...codesOf(given.codes), step: given.step }),
  ],
);
