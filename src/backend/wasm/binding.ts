import { bindFlatKernels, type FlatKernels } from '../flat-kernels.ts';
import type { Kernels } from '../kernels.ts';
import { marshal, type WasmExports } from './marshal.ts';
import { type Signature, signatures } from './signatures.ts';

/** Kernels of a compiled build (load.ts finds and compiles it). */
export function bindWasm(module: WebAssembly.Module): Kernels {
  const exports = new WebAssembly.Instance(module, {}).exports as WasmExports;
  const flat = Object.fromEntries(
    Object.entries(signatures).map(([name, signature]) => [
      name,
      marshal(exports, name as keyof FlatKernels, signature as unknown as Signature<never[]>),
    ]),
  );
  const detail = exports.relaxedSimd?.value ? 'wasm-relaxed-simd' : 'wasm-simd128';
  return bindFlatKernels('wasm', detail, flat as unknown as FlatKernels);
}
