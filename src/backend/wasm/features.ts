/** Smallest modules that use one instruction each: an engine without the feature rejects them. */
const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
const body = (...code: number[]) =>
  Uint8Array.from([...header, 10, code.length + 4, 1, code.length + 2, 0, ...code, 0x0b]);

const probes = {
  /** i32.const 0, i8x16.splat twice, i8x16.relaxed_swizzle */
  relaxed: body(0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x80, 0x02),
  /** i32.const 0, i8x16.splat */
  simd: body(0x41, 0, 0xfd, 15),
};

/** The two builds of the kernels, best first. */
export type WasmBuild = keyof typeof probes;

export const wasmFiles: Readonly<Record<WasmBuild, string>> = {
  relaxed: 'signum-relaxed.wasm',
  simd: 'signum.wasm',
};

/** The builds that this engine runs, best first; none without WebAssembly SIMD. */
export function supportedBuilds(): WasmBuild[] {
  if (typeof WebAssembly !== 'object') return [];
  return (Object.keys(probes) as WasmBuild[]).filter((build) => WebAssembly.validate(probes[build]));
}
