import { unary } from '../elementwise.ts';

/** tanh(x) */
export const tanh = unary('tanh');
