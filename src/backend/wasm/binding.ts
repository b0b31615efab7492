import type { Kernels } from '../kernels.ts';
export function wasmKernels(): Kernels | null {
  return null;
}
export function wasmBuilds(): { name: string; kernels: () => Kernels }[] {
  return [];
}
