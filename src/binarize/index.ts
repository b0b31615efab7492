/** The building blocks of methods. */
export * from './activations.ts';
export * from './context.ts';
export * from './estimators.ts';
export * from './gradients.ts';
export * from './int8-gradients.ts';
export * from './learned-scale.ts';
export * from './level-activations.ts';
export * from './quantizer.ts';
export * from './scales.ts';
export * from './soft-sign.ts';
export * from './terms.ts';
export * from './transforms.ts';
export * from './weights.ts';
