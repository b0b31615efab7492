import type { ParameterKind } from '../core/parameter-kinds.ts';
import { BatchNorm } from './batch-norm.ts';
import type { Module, Parameter } from './module.ts';

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
