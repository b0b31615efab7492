import { kernels as selectedKernels } from '../backend/select.ts';
import { loadWasm } from '../backend/wasm/load.ts';
import { ShapeError, UsageError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import type { ExecutedModel, Executor, InputValues, ModelLimits } from './executor.ts';

import { allOps } from './ops/all.ts';
import { type LoadOptions, loadPackedModel, type PackedModel } from './packed-model.ts';

/** A page's kernels come from a file of their own; elsewhere they are there at once. */
async function prepareKernels(): Promise<void> {
  try {
    selectedKernels();
  } catch {
    await loadWasm();
  }
}

/** Pixels as the floats of an input. @throws ShapeError when it takes no pictures */
function asFloats(model: PackedModel, input: number, values: InputValues): Float32Array {
  if (values instanceof Float32Array) return values;
  const { name, picture } = model.graph.inputs[input]!;
  if (picture) return model.normalise(values, input);
  throw new ShapeError(`the input ${quoted(name)} takes floats, not pixels: give a Float32Array`);
}

/** What the calling thread answers, in arrays that no later call overwrites. @throws what an observer throws */
export function answer(model: PackedModel, inputs: readonly InputValues[], observe?: () => void): Float32Array[] {
  const { graph } = model;
  const named = graph.inputs.map(({ name }, i) => [name, asFloats(model, i, inputs[i]!)] as const);
  const outputs = model.runAll(Object.fromEntries(named), observe);
  return graph.outputs.map(({ name }) => outputs[name]!.slice());
}

class CpuModel implements ExecutedModel {
  private model: PackedModel | null;
  readonly graph: PackedModel['graph'];
  readonly memory: PackedModel['memory'];
  readonly proof: PackedModel['proof'];

  constructor(model: PackedModel) {
    this.model = model;
    this.graph = model.graph;
    this.memory = model.memory;
    this.proof = model.proof;
  }

  async run(inputs: readonly InputValues[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    if (!this.model) throw new UsageError('run: this model was disposed of; load it again');
    return answer(this.model, inputs);
  }

  dispose(): void {
    this.model = null;
  }
}

/** Runs models on the thread that asks, which hears nothing else until they have answered. @param options kernels: of one backend; ops: those of others that files may have */
export function cpuExecutor(options: Omit<LoadOptions, 'maxBytes'> = {}): Executor {
  let models: ExecutedModel[] = [];
  const known = allOps(options.ops);
  return {
    id: 'cpu',
    supports: (op) => known.has(op),
    load: async (file, limits: ModelLimits = {}) => {
      if (!options.kernels) await prepareKernels();
      const model = new CpuModel(loadPackedModel(file, { ...options, ...limits }));
      models.push(model);
      return model;
    },
    dispose: () => {
      for (const model of models) model.dispose();
      models = [];
    },
  };
}
