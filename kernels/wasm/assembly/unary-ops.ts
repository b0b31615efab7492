// Written by src/backend/kernel-lists.testing.ts from the tables in src/backend: change those.
export const relu = 0;
export const hardtanh = 1;
export const sigmoid = 2;
export const tanh = 3;
export const softsign = 4;
export const clipSte = 5;
export const triangle = 6;
export const tanhSte = 7;
export const tanhWithin = 8;
export const softsignSte = 9;
export const swishSign = 10;
