import { pathToFileURL } from 'node:url';
import { peerFile, requirePeer } from './peers.ts';

interface Session {
  readonly run: (feeds: object) => Promise<unknown>;
}
interface Ort {
  readonly InferenceSession: { readonly create: (model: Uint8Array, options: object) => Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
  readonly env: { readonly wasm: { numThreads: number; wasmPaths?: string } };
}

/** A model in onnxruntime with one thread, ready to answer for this `x`. */
async function answers(
  ort: Ort,
  model: Uint8Array,
  x: Float32Array,
  dims: readonly number[],
  options: object,
): Promise<() => Promise<unknown>> {
  const session = await ort.InferenceSession.create(model, options);
  const input = new ort.Tensor('float32', x, dims);
  return () => session.run({ x: input });
}

/** In Node.js, natively. */
export const ortNative = (model: Uint8Array, x: Float32Array, dims: readonly number[]) =>
  answers(requirePeer<Ort>('onnxruntime-node'), model, x, dims, { intraOpNumThreads: 1, interOpNumThreads: 1 });

/** The WebAssembly build. */
export function ortWasm(model: Uint8Array, x: Float32Array, dims: readonly number[]) {
  const ort = requirePeer<Ort>('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = pathToFileURL(peerFile('onnxruntime-web/dist/')).href;
  return answers(ort, model, x, dims, { executionProviders: ['wasm'] });
}
