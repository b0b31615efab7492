import { unary } from '../elementwise.ts';

/** 1 / (1 + exp(-x)) */
export const sigmoid = unary('sigmoid');
