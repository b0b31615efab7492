import { bindFlatKernels } from '../flat-kernels.ts';
import { type FlatKernels, kernelTable } from '../kernel-table.ts';
import type { Kernels } from '../kernels.ts';
import { type MarshalledRow, marshal, type WasmExports } from './marshal.ts';

/** Kernels of a compiled build (load.ts finds and compiles it). */
export function bindWasm(module: WebAssembly.Module): Kernels {
  const exports = new WebAssembly.Instance(module, {}).exports as WasmExports;
  const flat = Object.fromEntries(
    Object.entries(kernelTable).map(([name, row]) => [
      name,
      marshal(exports, name as keyof FlatKernels, row as unknown as MarshalledRow),
    ]),
  );
  const detail = exports.relaxedSimd?.value ? 'wasm-relaxed-simd' : 'wasm-simd128';
  return bindFlatKernels('wasm', detail, flat as unknown as FlatKernels);
}
