/** `signum-bnn/runtime`: load and run packed models; no training code. */
export { type BackendName, kernels, threads, useBackend } from '../backend/select.ts';
export { loadWasm, type WasmSource } from '../backend/wasm/load.ts';
export { FormatError, ShapeError, SignumError, UsageError } from '../core/errors.ts';
export type { PackedGraph, PackedNode } from './graph.ts';
export { load, type ModelSource } from './load.ts';
export type { MemoryNeed } from './memory.ts';
export { type LoadOptions, loadPackedModel, type NodeObserver, PackedModel } from './packed-model.ts';
export type { Prediction } from './prediction.ts';
export type { Proof, ProvedEqual } from './proof.ts';
export type { Floats, Pixels, Shaped } from './shaped.ts';
export { PackedEnsemble, type Vote } from './vote.ts';
