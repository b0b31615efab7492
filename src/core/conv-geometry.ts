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
  if (groupChannels * groups !== inChannels) {
    throw new ShapeError(
      `${op}: input has ${inChannels} channels but the filter expects ${groupChannels * groups} (${shapes}` +
        `${groups > 1 ? `, groups ${groups}` : ''})`,
    );
  }
  if (outChannels % groups !== 0)
    throw new ShapeError(`${op}: ${outChannels} output channels do not divide into ${groups} groups`);
  const outHeight = Math.floor((height + 2 * pad - dilation * (kernelHeight - 1) - 1) / stride) + 1;
  const outWidth = Math.floor((width + 2 * pad - dilation * (kernelWidth - 1) - 1) / stride) + 1;
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

/** [N,OH,OW,Cout] */
export function convOutputShape(g: ConvGeometry): Shape {
  return [g.batch, g.outHeight, g.outWidth, g.outChannels];
}

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
  const outHeight = Math.floor((height + 2 * pad - window) / stride) + 1;
  const outWidth = Math.floor((width + 2 * pad - window) / stride) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(`${op}: window ${window} is larger than the padded input ${formatShape(input)}`);
  }
  return { batch, height, width, channels, window, stride, pad, outHeight, outWidth };
}
