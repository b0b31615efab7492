import { ShapeError } from './errors.ts';
import { formatShape, type Shape } from './shape.ts';

/** Everything a convolution kernel needs to know of its shapes; `pad` is the same on all four sides. */
export interface ConvGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outChannels: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
  readonly groups: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

export interface ConvOptions {
  readonly stride?: number;
  /** Pixels on every side, or `same`: dilation*(kernel-1)/2. */
  readonly pad?: number | 'same';
  readonly dilation?: number;
  readonly groups?: number;
}

function positiveInteger(name: string, value: number, op: string): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ShapeError(`${op}: ${name} must be a positive integer, got ${value}`);
}

/**
 * Derives and checks the geometry of a convolution.
 *
 * @param op name used in messages
 * @param input [N,H,W,Cin]
 * @param filter [KH,KW,Cin/groups,Cout]
 * @throws ShapeError when channels, groups or sizes do not fit
 */
export function convGeometry(op: string, input: Shape, filter: Shape, options: ConvOptions = {}): ConvGeometry {
  const shapes = `filter ${formatShape(filter)}, input ${formatShape(input)}`;
  if (input.length !== 4) throw new ShapeError(`${op}: input must be [N,H,W,C], got ${formatShape(input)}`);
  if (filter.length !== 4) throw new ShapeError(`${op}: filter must be [KH,KW,Cin,Cout], got ${formatShape(filter)}`);
  const [batch, height, width, inChannels] = input as [number, number, number, number];
  const [kernelHeight, kernelWidth, groupChannels, outChannels] = filter as [number, number, number, number];
  const { stride = 1, dilation = 1, groups = 1 } = options;
  positiveInteger('stride', stride, op);
  positiveInteger('dilation', dilation, op);
  positiveInteger('groups', groups, op);
  if (options.pad === 'same' && kernelHeight !== kernelWidth) {
    throw new ShapeError(`${op}: pad 'same' needs a square kernel, got ${kernelHeight}x${kernelWidth}; pass a number`);
  }
  const pad = options.pad === 'same' ? (dilation * (kernelHeight - 1)) >> 1 : (options.pad ?? 0);
  if (!Number.isInteger(pad) || pad < 0) throw new ShapeError(`${op}: pad must be an integer >= 0, got ${pad}`);
  const reach = dilation * (Math.max(kernelHeight, kernelWidth) - 1) + 1;
  if (pad >= reach)
    throw new ShapeError(
      `${op}: pad ${pad} must be below the (dilated) kernel of ${reach}: outputs beyond it see no input`,
    );
  if (groupChannels * groups !== inChannels) {
    throw new ShapeError(
      `${op}: input has ${inChannels} channels but the filter expects ${groupChannels * groups} (${shapes}` +
        `${groups > 1 ? `, groups ${groups}` : ''})`,
    );
  }
  if (outChannels % groups !== 0)
    throw new ShapeError(`${op}: ${outChannels} output channels do not divide into ${groups} groups`);
  const outHeight = outputsOf(height, pad, dilation * (kernelHeight - 1) + 1, stride);
  const outWidth = outputsOf(width, pad, dilation * (kernelWidth - 1) + 1, stride);
  if (outHeight < 1 || outWidth < 1)
    throw new ShapeError(`${op}: the filter is larger than the padded input (${shapes}, pad ${pad})`);
  return {
    batch,
    height,
    width,
    inChannels,
    kernelHeight,
    kernelWidth,
    outChannels,
    stride,
    pad,
    dilation,
    groups,
    outHeight,
    outWidth,
  };
}

/** Offsets into what a geometry describes are int32 in the compiled kernels. */
const mostElements = 2 ** 31 - 1;

function countable(op: string, what: string, ...factors: number[]): void {
  const total = factors.reduce((product, factor) => product * factor, 1);
  if (!(total <= mostElements))
    throw new ShapeError(`${op}: ${what} of ${factors.join(' x ')} values is more than an array can hold`);
}

function wholeNumbers(op: string, least: number, fields: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(fields))
    if (!Number.isInteger(value) || value < least || value > mostElements)
      throw new ShapeError(`${op}: ${name} must be a whole number from ${least} on, got ${value}`);
}

/** Windows of a side. @param reach pixels that a window, or a dilated kernel, extends over */
const outputsOf = (size: number, pad: number, reach: number, stride: number) =>
  Math.floor((size + 2 * pad - reach) / stride) + 1;

function requireOutputs(op: string, g: ConvGeometry | PoolGeometry, tall: number, wide: number): void {
  const expected = [outputsOf(g.height, g.pad, tall, g.stride), outputsOf(g.width, g.pad, wide, g.stride)];
  if (g.outHeight !== expected[0] || g.outWidth !== expected[1])
    throw new ShapeError(
      `${op}: output ${g.outHeight}x${g.outWidth} does not follow from the input: ${expected.join('x')}`,
    );
}

/**
 * Checks a geometry that somebody built by hand, as the compiled kernels do again: they trust it with memory.
 *
 * @throws ShapeError naming the field that does not fit
 */
export function checkConvGeometry(op: string, g: ConvGeometry): void {
  const { batch, pad, ...sizes } = g;
  wholeNumbers(op, 0, { batch, pad });
  wholeNumbers(op, 1, sizes as unknown as Record<string, number>);
  const { height, width, inChannels, kernelHeight, kernelWidth, outChannels, dilation, groups } = g;
  if (inChannels % groups !== 0 || outChannels % groups !== 0)
    throw new ShapeError(`${op}: ${groups} groups do not divide ${inChannels} and ${outChannels} channels`);
  const [tall, wide] = [dilation * (kernelHeight - 1) + 1, dilation * (kernelWidth - 1) + 1];
  if (pad >= Math.max(tall, wide))
    throw new ShapeError(`${op}: pad ${pad} must be below the (dilated) kernel, ${tall}x${wide}`);
  requireOutputs(op, g, tall, wide);
  const [inputs, results] = [inChannels + 64 * groups, outChannels + 64 * groups];
  countable(op, 'an input', Math.max(1, batch), height + 2 * pad, width + 2 * pad, inputs);
  countable(op, 'an output', Math.max(1, batch), g.outHeight, g.outWidth, results);
  countable(op, 'a filter', kernelHeight, kernelWidth, inputs / groups, results);
}

/** [N,OH,OW,Cout] */
export function convOutputShape(g: ConvGeometry): Shape {
  return [g.batch, g.outHeight, g.outWidth, g.outChannels];
}

/** Weights of a convolution's filter. */
export const filterSize = (g: ConvGeometry): number =>
  ((g.kernelHeight * g.kernelWidth * g.inChannels) / g.groups) * g.outChannels;

/** Windows of a pooling layer; each channel is pooled by itself. */
export interface PoolGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly window: number;
  readonly stride: number;
  readonly pad: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** @param input [N,H,W,C] @throws ShapeError when the window does not fit */
export function poolGeometry(op: string, input: Shape, window: number, stride = window, pad = 0): PoolGeometry {
  if (input.length !== 4) throw new ShapeError(`${op}: input must be [N,H,W,C], got ${formatShape(input)}`);
  positiveInteger('window', window, op);
  positiveInteger('stride', stride, op);
  if (!Number.isInteger(pad) || pad < 0 || pad * 2 > window) {
    throw new ShapeError(`${op}: pad must be an integer from 0 to half the window (${window}), got ${pad}`);
  }
  const [batch, height, width, channels] = input as [number, number, number, number];
  const outHeight = outputsOf(height, pad, window, stride);
  const outWidth = outputsOf(width, pad, window, stride);
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(`${op}: window ${window} is larger than the padded input ${formatShape(input)}`);
  }
  return { batch, height, width, channels, window, stride, pad, outHeight, outWidth };
}

/** As `checkConvGeometry`. */
export function checkPoolGeometry(op: string, g: PoolGeometry): void {
  const { batch, pad, ...sizes } = g;
  wholeNumbers(op, 0, { batch, pad });
  wholeNumbers(op, 1, sizes as unknown as Record<string, number>);
  if (pad >= g.window) throw new ShapeError(`${op}: pad ${pad} must be below the window, ${g.window}`);
  requireOutputs(op, g, g.window, g.window);
  countable(op, 'an input', Math.max(1, batch), g.height + 2 * pad, g.width + 2 * pad, g.channels);
  countable(op, 'an output', Math.max(1, batch), g.outHeight, g.outWidth, g.channels);
}
