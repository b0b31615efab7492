import type { ParameterKind } from '../core/parameter-kinds.ts';
import { batchNormsOf } from './batch-norm.ts';
import type { AnyModule, Parameter } from './module.ts';

/** Says of which kind a parameter below `modules` is. */
export function kindsOf(...modules: readonly AnyModule[]): (parameter: Parameter) => ParameterKind {
  const norms = new Set(modules.flatMap(batchNormsOf).flatMap(({ gamma, beta }) => [gamma, beta]));
  return (parameter) => {
    if (norms.has(parameter)) return 'norms';
    if (parameter.role === 'latent') return 'latents';
    if (parameter.role === 'weight') return 'weights';
    return parameter.role === 'quantizer' ? 'quantizers' : 'rest';
  };
}
