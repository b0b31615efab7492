/** The building blocks of methods. */
export * from './activations.ts';
export * from './context.ts';
export * from './estimators.ts';
export * from './gradients.ts';
export * from './scales.ts';
export * from './weights.ts';
