/**
 * What options tell apart: `latents` behind binary weights, float `weights`, `norms` (scale and shift of batch-norm), what `quantizers` learn, and
 * the `rest`: slopes and biases.
 */
export const parameterKinds = ['latents', 'weights', 'norms', 'quantizers', 'rest'] as const;
export type ParameterKind = (typeof parameterKinds)[number];

/** Numbers for some of the kinds. */
export type PerKind = Readonly<Partial<Record<ParameterKind, number>>>;
