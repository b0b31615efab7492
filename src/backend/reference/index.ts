import type { Kernels } from '../kernels.ts';
import * as bits from './bits.ts';
import * as channels from './channels.ts';
import * as conv from './conv.ts';
import * as copying from './copying.ts';
import * as elementwise from './elementwise.ts';
import * as optimizerSteps from './optimizer-steps.ts';
import * as pooling from './pooling.ts';
import * as xnor from './xnor.ts';

const { forEachProduct: _walk, ...convolutions } = conv;
const { bitAt: _bitAt, ...packing } = bits;

/** The naive implementation that defines what every kernel means. Slow; for tests and as the last resort. */
export const referenceKernels: Kernels = {
  name: 'reference',
  detail: 'typescript',
  ...convolutions,
  ...packing,
  ...channels,
  ...copying,
  ...elementwise,
  ...optimizerSteps,
  ...pooling,
  ...xnor,
};
