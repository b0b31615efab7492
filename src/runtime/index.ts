/** `signum-bnn/runtime`: load and run packed models; no training code. */
export { type BackendName, kernels, threads, useBackend } from '../backend/select.ts';
export { loadWasm, type WasmSource } from '../backend/wasm/load.ts';
export { FormatError, ShapeError, SignumError, UsageError } from '../core/errors.ts';
export type { PackedGraph, PackedNode, Picture, ResizeRule } from './graph.ts';
export { load, type ModelSource } from './load.ts';
export type { MemoryNeed } from './memory.ts';
export { definePackedOp, type PackedOp } from './op.ts';
export * as packedOp from './own-op.ts';
export { type LoadOptions, loadPackedModel, type NodeObserver, PackedModel, type Step } from './packed-model.ts';
export type { Prediction } from './prediction.ts';
export type { Proof, ProvedEqual } from './proof.ts';
export type { Floats, Pixels, Shaped } from './shaped.ts';
export { PackedEnsemble, type Vote } from './vote.ts';
