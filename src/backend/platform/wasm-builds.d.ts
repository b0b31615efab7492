/** Made by scripts/bundle-runtime.mjs: both builds of the kernels as one gzip stream in base64, and where each lies in it. */
declare module '#wasm-builds' {
  export const zipped: string;
  export const ranges: Readonly<Record<'relaxed' | 'simd', readonly [number, number]>>;
}
