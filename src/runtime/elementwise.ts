import type { UnaryOp } from '../backend/kernels.ts';
import type { Shape } from '../core/shape.ts';
import {
  alike,
  type Cost,
  channelsOf,
  definePackedOp,
  type Memory,
  type PackedOp,
  type Place,
  storageLength,
  type Work,
} from './op.ts';

/** Of ops that multiply by no weights. */
export const free = (): Cost => ({ weights: 0, weightBits: 32, inputBits: 32, macs: 0 });
/** Of ops that take nothing beside their output. */
export const nothing = (): Memory => ({});
/** Of ops that keep an array as large as their output. */
export const keepsOutput = ({ output }: Place<unknown>): Memory => ({ kept: 4 * storageLength(output, 1) });

/** The first input's shape, where all inputs have it. */
const shapeOfAll = (_: unknown, [first, ...others]: readonly Shape[]): Shape | null =>
  others.every((shape) => alike(shape, first!)) ? first! : null;

/** What ops of a family have in common. */
export type OpParts = Pick<PackedOp, 'takes' | 'gives' | 'shape' | 'cost' | 'memory'>;

/** Floats to floats of the same shape, value by value. */
export const elementwise: OpParts = {
  takes: ['floats'],
  gives: 'floats',
  shape: shapeOfAll,
  cost: free,
  memory: nothing,
};
/** The same of two values of one shape. */
export const binary: OpParts = { ...elementwise, takes: ['floats', 'floats'] };
/** From floats to signs of the same shape. */
export const toSigns: OpParts = { ...elementwise, gives: 'signs' };

/** A second input with one float for each `unit` of the first: its pixels, its channels, or the row. */
export const factorFor = (unit: 'pixel' | 'channel' | 'row'): OpParts => ({
  ...binary,
  shape: (_: unknown, [x, factor]: readonly Shape[]): Shape | null => {
    const [all, channels] = [size(x!), channelsOf({ shape: x! })];
    return size(factor!) === { pixel: all / channels, channel: channels, row: 1 }[unit] ? x! : null;
  },
});
const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Work that no kernel of its own is named for. */
export const floatWork = (run: Work['run']): Work => ({ kernel: 'float', run });

/** The kernel's function of each value. */
export const unary = <const Op extends UnaryOp>(op: Op) =>
  definePackedOp(op)({
    ...elementwise,
    prepare: ({ kernels }) => floatWork(([x], y) => kernels.unary(op, x!.floats, y.floats)),
  });
