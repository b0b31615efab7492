import type { Kernels } from '../backend/kernels.ts';
import { availableBackends, type BackendName, kernels } from '../backend/select.ts';
import { binaryWeights } from '../binarize/stages.ts';
import { PackError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import type { StoredTensor } from '../core/safetensors.ts';
import { classifier, unnamedHead } from '../models/heads/classifier.ts';
import type { Head } from '../models/heads/head.ts';
import { firstNotFinite, layerName, productLayer, tracedByName } from '../models/layer-names.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import { binaryLayersOf } from '../nn/binary-layer.ts';
import { type ResizeRule, type StoredGraph, usualResize } from '../runtime/graph.ts';
import type { PackedOp } from '../runtime/op.ts';
import { allOps } from '../runtime/ops/all.ts';
import { writePackedFile } from '../runtime/packed-file.ts';
import { loadPackedModel, type PackedModel } from '../runtime/packed-model.ts';
import { classification } from '../runtime/tasks/classification.ts';
import type { TapeNode } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DraftNode } from './draft.ts';
import { fuse } from './fuse.ts';
import { shareTensors } from './share.ts';
import { allTranslations, draftFromTrace } from './trace.ts';
import type { Translation } from './translation.ts';
import { verify, verifyElsewhere } from './verify.ts';

/** What packing has to know beside the network, and what it must prove. */
export interface PackOptions {
  readonly classes: readonly string[];
  /** Normalisation the network was trained with, per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Binary layers by name (`3.first`) that may stay float in the packed graph; any other that cannot be packed is an error. */
  readonly allowFloat?: readonly string[] | 'all' | undefined;
  /** Backends besides the one in use on which the file is proved too. */
  readonly verifyOn?: readonly BackendName[] | undefined;
  /** How ops are packed that this package does not know (`defineTranslation`). */
  readonly ops?: readonly Translation[] | undefined;
  /** What the network is for; default classification. */
  readonly task?: PackedTask | undefined;
  /** How pictures of other sizes are brought to the network's; default: as data sets decode them. */
  readonly resize?: ResizeRule;
}

/** What a file says of a task: a `Task` is one. */
export interface PackedTask {
  readonly id: string;
  /** Of which the network has one. */
  readonly heads: readonly [Head<never>, ...Head<never>[]];
}

const classifying: PackedTask = { id: classification.id, heads: [classifier] };

/** The head of a network. @throws PackError for one of another task */
function headOf({ head: built }: NetworkConfig, { id, heads }: PackedTask) {
  const head = built ? heads.find((one) => one.id === built.id) : unnamedHead(heads);
  if (!head)
    throw new PackError(
      `pack: the network ends with the head ${quoted(built!.id)}, which task ${quoted(id)} does not have; give its own as { task }`,
    );
  return { outputs: head.outputs, stored: built ?? { id: head.id, settings: head.settings ?? {} } };
}

/** A packed network: the bytes of its file, and the model that they load as. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly model: PackedModel;
}

/** Bytes of the trained network's float32 parameters and statistics: what a float file would hold. */
export function floatBytes(network: Network): number {
  const parameters = network.parameters().reduce((sum, { value }) => sum + value.size, 0);
  return 4 * (parameters + network.stateArrays().reduce((sum, { value }) => sum + value.data.length, 0));
}

/** A layer with binary weights whose activations are few-bit must not end up as a float product, unless it reads the pixels. */
function refuseFloatLayers({ steps }: PackedModel, network: Network, allowed: readonly string[] | 'all'): void {
  if (allowed === 'all' || network.method.bits.activation > 4) return;
  const ofPixels = binaryLayersOf(network).flatMap(({ name, value }) => (value.pixels ? [layerName(name)] : []));
  const fine = [...allowed, ...ofPixels];
  const floats = steps.flatMap(({ node: { name }, cost: { macs, weightBits, inputBits } }) =>
    weightBits === 1 && inputBits === 32 && macs > 0 && !fine.includes(productLayer(name)) ? [{ name, macs }] : [],
  );
  if (floats.length === 0) return;
  const costs = floats.map(
    ({ name, macs }) => `${name} (${macs} products of floats per image, not ${macs / 64} of words of 64 signs)`,
  );
  throw new PackError(
    `pack: binary layers would run in float, because what they are given is not binarized: ${costs.join(', ')}; to accept that, allow them by name (--allow-float, allowFloat)`,
  );
}

/**
 * Packs a trained network to one bit per binary weight and verifies the result: on the calibration images every packed value must
 * equal the float graph's, bit for bit.
 *
 * @param calibration normalised images [N,H,W,C]
 * @returns the bytes of one safetensors file, and the model loaded from them
 * @throws PackError naming the first layer that differs, is not finite or cannot be packed; on a backend of `verifyOn`, the first whose
 *   signs differ
 */
export function pack(network: Network, calibration: Tensor, options: PackOptions): Packed {
  refuseFloatStage(network);
  const wasTraining = network.training;
  const others = otherBackends(options.verifyOn ?? []);
  const known = allTranslations(options.ops);
  network.setTraining(false);
  try {
    const { task = classifying } = options;
    const head = headOf(network.config, task);
    return tracedByName(network, calibration, head, (outputs, names) => {
      const traced = draftFromTrace(names, calibration, outputs, known);
      for (const { tensors } of traced.nodes) for (const [name, { data }] of tensors) requireFinite(name, data);
      requireFiniteValues(names);
      const draft = fuse(traced);
      const packed = shareTensors(draft.nodes);
      const tensors = new Map<string, StoredTensor>();
      for (const node of packed) for (const [name, tensor] of node.tensors) tensors.set(name, tensor);
      const { inputShape, model, method, width } = network.config;
      const { classes, mean, std, resize = usualResize } = options;
      const graph: StoredGraph = {
        model,
        method,
        width,
        inputs: [{ name: 'image', shape: [...inputShape], picture: { mean: [...mean], std: [...std], resize } }],
        outputs: draft.outputs.map(({ name, value }) => ({ name, value })),
        task: { id: task.id, settings: { classes } },
        head: head.stored,
        nodes: packed.map(({ node }) => node),
        floatBytes: floatBytes(network),
      };
      const ops = foreignOps(packed);
      const unproved = writePackedFile(graph, tensors);
      const unprovedModel = loadPackedModel(unproved, { ops });
      refuseFloatLayers(unprovedModel, network, options.allowFloat ?? []);
      verify(unprovedModel, draft, calibration, outputs);
      const { name, detail } = kernels();
      const here = { backend: name, instructionSet: detail, equal: 'values' } as const;
      const elsewhere = others.map((other) => ({
        backend: other.name,
        instructionSet: other.detail,
        equal: verifyElsewhere(
          loadPackedModel(unproved, { kernels: other, ops }),
          draft,
          calibration,
          outputs,
          other.name,
        ),
      }));
      const bytes = writePackedFile(graph, tensors, { images: calibration.shape[0]!, on: [here, ...elsewhere] });
      return { bytes, model: loadPackedModel(bytes, { ops }) };
    });
  } finally {
    network.setTraining(wasTraining);
  }
}

/** Ops that a loader has to be given. */
function foreignOps(nodes: readonly DraftNode[]): PackedOp[] {
  const own = allOps();
  return [...new Set(nodes.map(({ op }) => op).filter(({ op }) => !own.has(op)))];
}

/** A network is packed as what it is, and in some stages its weights are none of bits. */
function refuseFloatStage({ context, point }: Network): void {
  if (context.value(binaryWeights, 1) !== 0) return;
  const of = point.stage === undefined ? 'this part of the training' : `stage "${point.stage}"`;
  throw new PackError(
    `pack: the weights are still float: ${of} does not binarize them; finish the run first, or pack a checkpoint of a later stage`,
  );
}

/** Overflow is no matter of packing: NaN equals nothing, not even itself. */
function requireFiniteValues(names: ReadonlyMap<TapeNode, string>): void {
  const found = firstNotFinite(names);
  if (found)
    throw new PackError(
      `pack: layer "${found.name}" (${found.op}) gives ${found.value} on the calibration images, the first in the network that is not finite: its training diverged; pack an earlier checkpoint, or train again at a lower rate`,
    );
}

/** @throws PackError when one cannot run here */
function otherBackends(wanted: readonly BackendName[]): Kernels[] {
  return wanted
    .filter((name) => name !== kernels().name)
    .map((name) => {
      const found = availableBackends().find((backend) => backend.name === name);
      if (!found) throw new PackError(`pack: the file cannot be proved on ${name}: that backend does not run here`);
      return found;
    });
}

function requireFinite(name: string, data: StoredTensor['data']): void {
  if (data instanceof Float32Array && !data.every(Number.isFinite)) {
    throw new PackError(
      `pack: tensor "${name}" holds NaN or infinity; the training diverged, pack an earlier checkpoint`,
    );
  }
}
