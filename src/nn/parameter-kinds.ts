import { BatchNorm } from './batch-norm.ts';
import type { Module, Parameter } from './module.ts';

/**
 * What options tell apart: `latents` behind binary weights, float `weights`, `norms` (scale and shift of batch-norm), what `quantizers` learn, and
 * the `rest`: slopes and biases.
 */
export const parameterKinds = ['latents', 'weights', 'norms', 'quantizers', 'rest'] as const;
export type ParameterKind = (typeof parameterKinds)[number];

/** Numbers for some of the kinds. */
export type PerKind = Readonly<Partial<Record<ParameterKind, number>>>;

/** Says of which kind a parameter below `modules` is. */
export function kindsOf(...modules: readonly Module[]): (parameter: Parameter) => ParameterKind {
  const norms = new Set(
    modules
      .flatMap((module) => module.modules())
      .flatMap(({ value }) => (value instanceof BatchNorm ? [value.gamma, value.beta] : [])),
  );
  return (parameter) => {
    if (norms.has(parameter)) return 'norms';
    if (parameter.role === 'latent') return 'latents';
    if (parameter.role === 'weight') return 'weights';
    return parameter.role === 'quantizer' ? 'quantizers' : 'rest';
  };
}
