import type { Kernels } from '../backend/kernels.ts';
import { channelCopy, subsampleCopy } from '../core/block-copy.ts';
import { repeatRow } from '../core/repeat-row.ts';
import { sizeOf } from '../core/shape.ts';
import { interact } from '../exact/interaction.ts';
import { decodeLevels, type LevelCodes } from '../exact/level-codes.ts';
import { packCodePlane } from '../exact/plane-conv.ts';
import { subtractSigns } from '../exact/sample-factors.ts';
import { gateChannels, normaliseSamples, sampleMoments } from '../exact/sample-norm.ts';
import { channelMask, poolSigns } from '../exact/sign-pool.ts';
import { unitLevels } from '../exact/unit-levels.ts';
import { prepareConv } from './conv-steps.ts';
import { imageOf, poolOf } from './geometry.ts';
import { boundOf, type OpName, type PackedNode } from './graph.ts';
import { channelsOf, type NodeOf, none, type Prepare, rowsOf, type ValueType, type Work } from './step.ts';
import type { ModelTensors } from './tensors.ts';

function unaryStep(node: NodeOf<'relu' | 'hardtanh' | 'sigmoid' | 'tanh' | 'softsign'>, kernels: Kernels): Work {
  return { kernel: 'float', run: ([x], y) => kernels.unary(node.op, x!.floats, y.floats) };
}

function poolStep(node: NodeOf<'maxPool' | 'avgPool'>, input: ValueType, kernels: Kernels): Work {
  const geometry = poolOf(node, input.shape);
  let indices = new Int32Array(0);
  const run: Work['run'] = ([x], y, batch) => {
    const g = { ...geometry, batch };
    if (node.op === 'avgPool') return kernels.avgPool(x!.floats, y.floats, g);
    if (indices.length < y.floats.length) indices = new Int32Array(y.floats.length);
    kernels.maxPool(x!.floats, y.floats, indices, g);
  };
  return {
    kernel: 'float',
    run,
  };
}

function signPoolStep(node: NodeOf<'maxPoolSigns'>, input: ValueType, falling: Int32Array): Work {
  const geometry = poolOf(node, input.shape);
  const mask = channelMask(falling);
  return {
    kernel: 'and/or of bits',
    run: ([x], y, batch) => poolSigns(x!.words, mask, y.words, { ...geometry, batch }),
  };
}

function elementwise(run: Work['run']): Work {
  return { kernel: 'float', run };
}

/** Every image combined with one constant map of its size. */
function positionStep(
  node: PackedNode & { map: string },
  input: ValueType,
  tensors: ModelTensors,
  combine: Kernels['add'],
): Work {
  const map = tensors.floats(node.map, sizeOf(input.shape));
  return elementwise(([x], y, batch) => {
    for (let n = 0; n < batch; n++) {
      const part = (array: Float32Array) => array.subarray(n * map.length, (n + 1) * map.length);
      combine(part(x!.floats), map, part(y.floats));
    }
  });
}

function codesOf(node: NodeOf<'codePlane' | 'codeLevels'>, tensors: ModelTensors): LevelCodes {
  return {
    thresholds: tensors.floats(node.thresholds, node.levels - 1),
    patterns: tensors.integers(node.patterns, node.levels),
  };
}

/** How each op is prepared from its node; a new op is one row here, in graph.ts, rules.ts and memory.ts. */
export const prepareOp: { readonly [O in OpName]: Prepare<O> } = {
  ...prepareConv,
  codePlane: (node, _inputs, tensors, kernels) => {
    const codes = codesOf(node, tensors);
    let scratch = new Uint32Array(0);
    const run: Work['run'] = ([x], y, batch) => {
      if (scratch.length < y.words.length) scratch = new Uint32Array(y.words.length);
      packCodePlane(kernels, x!.floats, codes, node.plane, scratch, y.words, batch * rowsOf(node), channelsOf(node));
    };
    return { kernel: 'bit-plane pack', run };
  },
  codeLevels: (node, _inputs, tensors) => {
    const codes = codesOf(node, tensors);
    return elementwise(([x], y) => decodeLevels(x!.floats, codes, node.step, y.floats));
  },
  sign: (node, _inputs, _tensors, kernels) => ({
    kernel: 'sign-pack',
    run: ([x], y, batch) => kernels.packSigns(x!.floats, y.words, batch * rowsOf(node), channelsOf(node)),
  }),
  affineSign: (node, _inputs, tensors, kernels) => {
    const channels = channelsOf(node);
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    const run: Work['run'] = ([x], y, batch) =>
      kernels.packAffineSigns(x!.floats, scale, shift, y.words, batch * rowsOf(node), channels);
    return { kernel: 'threshold-pack', run };
  },
  affine: (node, _inputs, tensors, kernels) => {
    const channels = channelsOf(node);
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    const [low, high] = [boundOf(node.low), boundOf(node.high)];
    return elementwise(([x, residual], y, batch) =>
      kernels.channelAffine(
        x!.floats,
        scale,
        shift,
        residual?.floats ?? none,
        low,
        high,
        y.floats,
        batch * rowsOf(node),
        channels,
      ),
    );
  },
  dense: (node, [input], tensors, kernels) => {
    const [k, m] = [sizeOf(input!.shape), channelsOf(node)];
    const weight = tensors.weights(node.weight, node.codeScale, k * m, m);
    const bias = node.bias ? tensors.floats(node.bias, m) : none;
    const run: Work['run'] = ([x], y, batch) => {
      if (bias.length > 0) for (let row = 0; row < batch; row++) y.floats.set(bias, row * m);
      kernels.sgemm(false, false, batch, m, k, x!.floats, weight, bias.length > 0, y.floats);
    };
    return { kernel: node.codeScale ? 'float gemm, weights in bytes' : 'float gemm', run };
  },
  prelu: (node, _inputs, tensors, kernels) => {
    const slope = tensors.floats(node.slope, channelsOf(node));
    return elementwise(([x], y, batch) =>
      kernels.prelu(x!.floats, slope, y.floats, batch * rowsOf(node), slope.length),
    );
  },
  relu: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  hardtanh: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  sigmoid: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  tanh: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  softsign: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  unitLevels: (node) => elementwise(([x], y) => unitLevels(x!.floats, node.bits, y.floats, node.ties ?? 'up')),
  reshape: (_node) => elementwise(([x], y) => y.floats.set(x!.floats)),
  add: (_node, _inputs, _tensors, kernels) => elementwise(([a, b], y) => kernels.add(a!.floats, b!.floats, y.floats)),
  multiply: (_node, _inputs, _tensors, kernels) =>
    elementwise(([a, b], y) => kernels.multiply(a!.floats, b!.floats, y.floats)),
  scale: (node, _inputs, _tensors, kernels) =>
    elementwise(([x], y) => kernels.blend(x!.floats, node.factor, 0, y.floats.fill(0))),
  pixelScale: (node, _inputs, _tensors, kernels) =>
    elementwise(([x, factor], y, batch) =>
      kernels.rowScale(x!.floats, factor!.floats, y.floats, batch * rowsOf(node), channelsOf(node)),
    ),
  sampleScale: (_node, [input], _tensors, kernels) =>
    elementwise(([x, factor], y, batch) =>
      kernels.rowScale(x!.floats, factor!.floats, y.floats, batch, sizeOf(input!.shape)),
    ),
  sampleAbsMean: (_node, [input], _tensors, kernels) =>
    elementwise(([x], y, batch) => kernels.rowAbsMeans(x!.floats, y.floats, batch, sizeOf(input!.shape))),
  addOuter: (node, _inputs, tensors, kernels) => {
    const factors = tensors.floats(node.factors, channelsOf(node));
    let spread = new Float32Array(0);
    return elementwise(([x, pixels], y, batch) => {
      if (spread.length !== y.floats.length) spread = new Float32Array(y.floats.length);
      const rows = batch * rowsOf(node);
      kernels.rowScale(repeatRow(factors, spread), pixels!.floats, spread, rows, factors.length);
      kernels.add(x!.floats, spread, y.floats);
    });
  },
  sampleNormalise: (node, _inputs, _tensors, kernels) => {
    let ones = new Float32Array(0);
    return elementwise(([x], y, batch) => {
      if (ones.length !== y.floats.length) ones = new Float32Array(y.floats.length).fill(1);
      const [means, inverse] = [new Float32Array(batch), new Float32Array(batch)];
      sampleMoments(kernels, x!.floats, means, inverse, ones, batch);
      normaliseSamples(kernels, x!.floats, means, inverse, node.centred, y.floats, batch, channelsOf(node));
    });
  },
  signResidual: (_node) =>
    elementwise(([x, beta], y, batch) => subtractSigns(x!.floats, beta!.floats, y.floats, batch)),
  channelGate: (_node, [input], _tensors, kernels) =>
    elementwise(([x, gate], y, batch) =>
      gateChannels(kernels, x!.floats, gate!.floats, y.floats, batch, channelsOf(input!)),
    ),
  interact: (node) =>
    elementwise(([x], y) => {
      y.floats.set(x!.floats);
      interact(y.floats, channelsOf(node), node);
    }),
  positionScale: (node, [input], tensors, kernels) => positionStep(node, input!, tensors, kernels.multiply),
  positionShift: (node, [input], tensors, kernels) => positionStep(node, input!, tensors, kernels.add),
  channelAbsMean: (_node, [input], _tensors, kernels) =>
    elementwise(([x], y, batch) =>
      kernels.rowAbsMeans(x!.floats, y.floats, batch * rowsOf(input!), channelsOf(input!)),
    ),
  maxPool: (node, [input], _tensors, kernels) => poolStep(node, input!, kernels),
  maxPoolSigns: (node, [input], tensors) =>
    signPoolStep(node, input!, tensors.integers(node.falling, channelsOf(node))),
  avgPool: (node, [input], _tensors, kernels) => poolStep(node, input!, kernels),
  globalAvgPool: (_node, [input], _tensors, kernels) => {
    const [rows, channels] = [rowsOf(input!), channelsOf(input!)];
    return elementwise(([x], y, batch) => {
      for (let n = 0; n < batch; n++) {
        const pixels = x!.floats.subarray(n * rows * channels, (n + 1) * rows * channels);
        kernels.columnSums(pixels, y.floats.subarray(n * channels, (n + 1) * channels), rows, channels);
      }
      kernels.blend(y.floats, 0, 1 / rows, y.floats);
    });
  },
  concat: (node, inputs, _tensors, kernels) => {
    const channels = channelsOf(node);
    return elementwise((parts, y, batch) => {
      let begin = 0;
      for (const [i, part] of parts.entries()) {
        const own = channelsOf(inputs[i]!);
        const copy = channelCopy(batch * rowsOf(node), own, { begin: 0, channels: own }, { begin, channels });
        kernels.copyBlocks(part.floats, y.floats, copy);
        begin += own;
      }
    });
  },
  sliceChannels: (node, [input], _tensors, kernels) => {
    const [source, kept] = [{ begin: node.begin, channels: channelsOf(input!) }, node.end - node.begin];
    return elementwise(([x], y, batch) => {
      const copy = channelCopy(batch * rowsOf(node), kept, source, { begin: 0, channels: kept });
      kernels.copyBlocks(x!.floats, y.floats, copy);
    });
  },
  subsamplePad: (node, [input], _tensors, kernels) => {
    const shape = imageOf(node, input!.shape);
    return elementwise(([x], y, batch) => {
      const copy = subsampleCopy([batch, ...shape], node.stride, channelsOf(node));
      kernels.copyBlocks(x!.floats, y.floats.fill(0), copy);
    });
  },
};
