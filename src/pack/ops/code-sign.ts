import type { LevelCodes } from '../../exact/level-codes.ts';
import { codePlane } from '../../runtime/ops/code-plane.ts';
import { codesOf, defineTranslation, nodeOf } from '../translation.ts';

export const codeSign = defineTranslation('codeSign', 'computes', (given: { codes: LevelCodes; plane: number }, at) => [
  nodeOf(codePlane, at, { ...codesOf(given.codes), plane: given.plane }),
]);
