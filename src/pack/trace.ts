import type { ConvGeometry, PoolGeometry } from '../core/conv-geometry.ts';
import { PackError } from '../core/errors.ts';
import type { StoredTensor } from '../core/safetensors.ts';
import type { Shape } from '../core/shape.ts';
import { tighten } from '../core/tight-bits.ts';
import type { Interaction } from '../exact/interaction.ts';
import type { LevelCodes } from '../exact/level-codes.ts';
import { boundText, codeOffset, type PackedNode } from '../runtime/graph.ts';
import type { TapeNode } from '../tensor/tape.ts';
import { CodedFilter, type PlaneTensor, type SignFilter, SignTensor, type Tensor } from '../tensor/tensor.ts';
import type { Draft, DraftNode } from './draft.ts';

const stored = (data: StoredTensor['data'], shape: Shape = [data.length]): StoredTensor => ({
  shape,
  data: data.slice(),
});

/** A sign filter's bits, [outChannels, taps, inChannels] one after the other. */
function storedSigns(filter: SignFilter, g: ConvGeometry): StoredTensor {
  const data = tighten(filter.words, g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);
  return { shape: [data.length], data };
}

const convFields = (g: ConvGeometry) => ({
  kernel: [g.kernelHeight, g.kernelWidth] as [number, number],
  stride: g.stride,
  pad: g.pad,
  dilation: g.dilation,
  groups: g.groups,
});

/** Turns one traced op into a draft node. */
function translate(trace: TapeNode, ids: readonly number[], output: number, name: string): DraftNode {
  const tensors = new Map<string, StoredTensor>();
  const keep = (suffix: string, tensor: StoredTensor): string => {
    tensors.set(`${name}.${suffix}`, tensor);
    return `${name}.${suffix}`;
  };
  const { attributes, inputs } = trace;
  const geometry = attributes['geometry'] as ConvGeometry & PoolGeometry;
  const common = { name, inputs: [...ids], output, shape: trace.output.shape.slice(1) };
  const signWords = (filter: SignFilter) => keep('filter', storedSigns(filter, geometry));

  /** Floats, or whole codes in bytes with a factor per output channel. */
  const weights = (suffix: string, tensor: Tensor): { name: string; codeScale?: string } => {
    if (!(tensor instanceof CodedFilter)) return { name: keep(suffix, stored(tensor.data, tensor.shape)) };
    const bytes = Uint8Array.from(tensor.codes, (code) => code + codeOffset);
    return {
      name: keep(suffix, { shape: tensor.shape, data: bytes }),
      codeScale: keep('codeScale', stored(tensor.scale)),
    };
  };

  const node = ((): PackedNode => {
    switch (trace.op) {
      case 'binaryConv2d': {
        const filter = inputs[1] as SignFilter;
        const padding = attributes['padding'] as 'zero' | 'one';
        return {
          ...common,
          op: 'xnorConv2d',
          ...convFields(geometry),
          padding,
          filter: signWords(filter),
          alpha: keep('alpha', stored(filter.scale)),
        };
      }
      case 'signConv2d': {
        const filter = inputs[1] as SignFilter;
        return {
          ...common,
          op: 'signConv2d',
          ...convFields(geometry),
          filter: signWords(filter),
          alpha: keep('alpha', stored(filter.scale)),
        };
      }
      case 'conv2d': {
        if (inputs[0] instanceof SignTensor)
          throw new PackError(
            `pack: "${name}" multiplies signs by float weights; its method binarizes weights later in the training: finish the run first`,
          );
        const { name: filter, codeScale } = weights('filter', inputs[1]!);
        return { ...common, op: 'conv2d', ...convFields(geometry), filter, ...(codeScale ? { codeScale } : {}) };
      }
      case 'dense': {
        const [, matrix, bias] = inputs as [Tensor, Tensor, Tensor?];
        const { name: weight, codeScale } = weights('weight', matrix);
        return {
          ...common,
          op: 'dense',
          weight,
          ...(codeScale ? { codeScale } : {}),
          ...(bias ? { bias: keep('bias', stored(bias.data)) } : {}),
        };
      }
      case 'affine':
        return {
          ...common,
          op: 'affine',
          scale: keep('scale', stored(attributes['scale'] as Float32Array)),
          shift: keep('shift', stored(attributes['shift'] as Float32Array)),
          low: boundText(attributes['low'] as number),
          high: boundText(attributes['high'] as number),
        };
      case 'prelu':
        return { ...common, op: 'prelu', slope: keep('slope', stored(inputs[1]!.data)) };
      case 'maxPool':
      case 'avgPool':
        return { ...common, op: trace.op, window: geometry.window, stride: geometry.stride, pad: geometry.pad };
      case 'scale':
        return { ...common, op: 'scale', factor: attributes['factor'] as number };
      case 'sampleScale':
        // a learned factor is a constant of the packed graph, one measured on the image is not
        return ids.length === 2
          ? { ...common, op: 'sampleScale' }
          : { ...common, op: 'scale', factor: inputs[1]!.data[0]! };
      case 'addOuter':
        return { ...common, op: 'addOuter', factors: keep('factors', stored(attributes['channels'] as Float32Array)) };
      case 'sampleNormalise':
        return { ...common, op: 'sampleNormalise', centred: attributes['centred'] as boolean };
      case 'positionScale':
      case 'positionShift':
        return { ...common, op: trace.op, map: keep('map', stored(attributes['map'] as Float32Array)) };
      case 'unitLevels':
        return {
          ...common,
          op: 'unitLevels',
          bits: attributes['bits'] as number,
          ...(attributes['ties'] === 'even' ? { ties: 'even' } : {}),
        };
      case 'codeSign': {
        const { thresholds, patterns } = attributes['codes'] as LevelCodes;
        return {
          ...common,
          op: 'codePlane',
          thresholds: keep('thresholds', stored(thresholds)),
          patterns: keep('patterns', stored(patterns)),
          levels: patterns.length,
          plane: attributes['plane'] as number,
        };
      }
      case 'interact': {
        const { edges, sureFrom, step } = attributes['interaction'] as Interaction;
        return { ...common, op: 'interact', edges: [...edges], sureFrom, step };
      }
      case 'subsamplePad':
        return { ...common, op: 'subsamplePad', stride: attributes['stride'] as number };
      case 'sliceChannels':
        return {
          ...common,
          op: 'sliceChannels',
          begin: attributes['begin'] as number,
          end: attributes['end'] as number,
        };
      case 'sign':
      case 'relu':
      case 'hardtanh':
      case 'sigmoid':
      case 'tanh':
      case 'softsign':
      case 'add':
      case 'multiply':
      case 'pixelScale':
      case 'channelAbsMean':
      case 'sampleAbsMean':
      case 'signResidual':
      case 'channelGate':
      case 'concat':
      case 'globalAvgPool':
      case 'reshape':
        return { ...common, op: trace.op };
      default:
        throw new PackError(
          `pack: the op "${trace.op}" of this network has no packed form; keep it out of the evaluation graph`,
        );
    }
  })();
  return { node, tensors, expected: trace.output };
}

/** Thresholds and patterns of a few-bit activation, as tensors named after `name`. */
function storedCodes(trace: TapeNode, name: string) {
  const { thresholds, patterns } = trace.attributes['codes'] as LevelCodes;
  return {
    fields: { thresholds: `${name}.thresholds`, patterns: `${name}.patterns`, levels: patterns.length },
    tensors: new Map([
      [`${name}.thresholds`, stored(thresholds)],
      [`${name}.patterns`, stored(patterns)],
    ]),
  };
}

/** Few-bit activations as floats, for readers that multiply floats; dropped when all read the bit-planes. */
function levelsNode(trace: TapeNode, source: number, output: number, name: string): DraftNode {
  const { fields, tensors } = storedCodes(trace, name);
  const step = trace.attributes['step'] as number;
  const shape = trace.output.shape.slice(1);
  return {
    node: { name, op: 'codeLevels', inputs: [source], output, shape, ...fields, step },
    tensors,
    expected: trace.output,
  };
}

/** A k-bit convolution: one node per bit-plane of its input, which reads what the levels were made from, then the product. */
function planeNodes(trace: TapeNode, levels: DraftNode, firstOutput: number, name: string): DraftNode[] {
  const [input, filter] = trace.inputs as [PlaneTensor, SignFilter];
  const geometry = trace.attributes['geometry'] as ConvGeometry;
  const shape = input.shape.slice(1);
  const { node: source, tensors: codes } = levels as DraftNode & { node: Extract<PackedNode, { op: 'codeLevels' }> };
  const { inputs, thresholds, patterns } = source;
  const planes = input.planes.map(
    (words, plane): DraftNode => ({
      node: {
        name: `${name}.plane${plane}`,
        op: 'codePlane',
        inputs,
        output: firstOutput + plane,
        shape,
        thresholds,
        patterns,
        levels: source.levels,
        plane,
      },
      tensors: codes,
      expected: new SignTensor(words, input.shape),
    }),
  );
  const tensors = new Map([
    [`${name}.filter`, storedSigns(filter, geometry)],
    [`${name}.scale`, stored(trace.attributes['scale'] as Float32Array)],
  ]);
  const node: PackedNode = {
    name,
    op: 'planesConv2d',
    inputs: planes.map((plane) => plane.node.output),
    output: firstOutput + planes.length,
    shape: trace.output.shape.slice(1),
    ...convFields(geometry),
    filter: `${name}.filter`,
    scale: `${name}.scale`,
  };
  return [...planes, { node, tensors, expected: trace.output }];
}

/** The output is its input under another name: same values, same channels. */
function isAlias(trace: TapeNode): boolean {
  return (
    trace.op === 'quantizeGradient' || (trace.op === 'reshape' && trace.inputs[0]!.channels === trace.output.channels)
  );
}

/**
 * The evaluation graph of one traced forward pass.
 *
 * @param names every op that depends on the image, in order, and what its node is called; all else is a constant and already folded into the
 * tensors of its reader
 * @param image the traced input [N,H,W,C]
 * @param output the traced logits
 * @throws PackError for an op without a packed form
 */
export function draftFromTrace(names: ReadonlyMap<TapeNode, string>, image: Tensor, output: Tensor): Draft {
  const ids = new Map<Tensor, number>([[image, 0]]);
  const draft: DraftNode[] = [];
  for (const [trace, name] of names) {
    const inputs = trace.inputs.map((input) => ids.get(input)).filter((id) => id !== undefined);
    if (isAlias(trace)) {
      ids.set(trace.output, inputs[0]!);
      continue;
    }
    const id = draft.length + 1;
    if (trace.op === 'levelCodes') draft.push(levelsNode(trace, inputs[0]!, id, name));
    else if (trace.op === 'planeConv2d') {
      const levels = draft.find(({ node }) => node.output === inputs[0])!;
      draft.push(...planeNodes(trace, levels, id, name));
    } else draft.push(translate(trace, inputs, id, name));
    ids.set(trace.output, draft.at(-1)!.node.output);
  }
  const last = ids.get(output);
  if (last === undefined || last === 0) throw new PackError('pack: the output does not depend on the input image');
  return { nodes: draft, output: last, input: image.shape.slice(1) };
}
