import { unary } from '../elementwise.ts';

/** x, clamped to [-1, 1] */
export const hardtanh = unary('hardtanh');
