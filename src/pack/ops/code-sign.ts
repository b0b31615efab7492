import type { LevelCodes } from '../../exact/level-codes.ts';
import { codePlane } from '../../runtime/ops/code-plane.ts';
import { codesOf, defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const codeSign = defineTranslation(
  'codeSign',
  'computes',
  ({ attributes: { codes, plane } }: Trace<{ codes: LevelCodes; plane: number }>, at) => [
    nodeOf(codePlane, at, { ...codesOf(codes), plane }),
  ],
);
