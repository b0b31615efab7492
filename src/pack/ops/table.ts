import { add } from '../../runtime/ops/add.ts';
import { channelAbsMean } from '../../runtime/ops/channel-abs-mean.ts';
import { channelGate } from '../../runtime/ops/channel-gate.ts';
import { concat } from '../../runtime/ops/concat.ts';
import { globalAvgPool } from '../../runtime/ops/global-avg-pool.ts';
import { hardtanh } from '../../runtime/ops/hardtanh.ts';
import { multiply } from '../../runtime/ops/multiply.ts';
import { pixelScale } from '../../runtime/ops/pixel-scale.ts';
import { relu } from '../../runtime/ops/relu.ts';
import { sampleAbsMean } from '../../runtime/ops/sample-abs-mean.ts';
import { sigmoid } from '../../runtime/ops/sigmoid.ts';
import { sign } from '../../runtime/ops/sign.ts';
import { signResidual } from '../../runtime/ops/sign-residual.ts';
import { softsign } from '../../runtime/ops/softsign.ts';
import { tanh } from '../../runtime/ops/tanh.ts';
import { defineTranslation, type Translation, unchanged } from '../translation.ts';
import { addOuter } from './add-outer.ts';
import { affine } from './affine.ts';
import { avgPool } from './avg-pool.ts';
import { binaryConv2d } from './binary-conv2d.ts';
import { codeSign } from './code-sign.ts';
import { conv2d } from './conv2d.ts';
import { dense } from './dense.ts';
import { interact } from './interact.ts';
import { levelCodes } from './level-codes.ts';
import { maxPool } from './max-pool.ts';
import { planeConv2d } from './plane-conv2d.ts';
import { positionScale } from './position-scale.ts';
import { positionShift } from './position-shift.ts';
import { prelu } from './prelu.ts';
import { reshape } from './reshape.ts';
import { sampleNormalise } from './sample-normalise.ts';
import { sampleScale } from './sample-scale.ts';
import { scale } from './scale.ts';
import { signConv2d } from './sign-conv2d.ts';
import { sliceChannels } from './slice-channels.ts';
import { subsamplePad } from './subsample-pad.ts';
import { unitLevels } from './unit-levels.ts';

/** How every op of an evaluation graph is packed. */
export const translations: readonly Translation[] = [
  addOuter,
  affine,
  avgPool,
  binaryConv2d,
  codeSign,
  conv2d,
  dense,
  interact,
  levelCodes,
  maxPool,
  planeConv2d,
  positionScale,
  positionShift,
  prelu,
  reshape,
  sampleNormalise,
  sampleScale,
  scale,
  signConv2d,
  sliceChannels,
  subsamplePad,
  unitLevels,
  /** Gradients are no matter of the packed graph. */
  defineTranslation('quantizeGradient', 'keeps', () => []),
  unchanged(sign, 'signs'),
  unchanged(relu, 'rectifies'),
  unchanged(hardtanh, 'computes'),
  unchanged(sigmoid, 'computes'),
  unchanged(tanh, 'computes'),
  unchanged(softsign, 'computes'),
  unchanged(add, 'passes'),
  unchanged(multiply, 'computes'),
  unchanged(pixelScale, 'passes'),
  unchanged(channelAbsMean, 'computes'),
  unchanged(sampleAbsMean, 'computes'),
  unchanged(signResidual, 'keeps'),
  unchanged(channelGate, 'passes'),
  unchanged(concat, 'computes'),
  unchanged(globalAvgPool, 'computes'),
];
