import { add } from './add.ts';
import { addOuter } from './add-outer.ts';
import { affine } from './affine.ts';
import { affineSign } from './affine-sign.ts';
import { avgPool } from './avg-pool.ts';
import { channelAbsMean } from './channel-abs-mean.ts';
import { channelGate } from './channel-gate.ts';
import { codeLevels } from './code-levels.ts';
import { codePlane } from './code-plane.ts';
import { concat } from './concat.ts';
import { conv2d } from './conv2d.ts';
import { dense } from './dense.ts';
import { globalAvgPool } from './global-avg-pool.ts';
import { hardtanh } from './hardtanh.ts';
import { interact } from './interact.ts';
import { maxPool } from './max-pool.ts';
import { maxPoolSigns } from './max-pool-signs.ts';
import { multiply } from './multiply.ts';
import { pixelScale } from './pixel-scale.ts';
import { planesConv2d } from './planes-conv2d.ts';
import { positionScale } from './position-scale.ts';
import { positionShift } from './position-shift.ts';
import { prelu } from './prelu.ts';
import { relu } from './relu.ts';
import { reshape } from './reshape.ts';
import { sampleAbsMean } from './sample-abs-mean.ts';
import { sampleNormalise } from './sample-normalise.ts';
import { sampleScale } from './sample-scale.ts';
import { scale } from './scale.ts';
import { sigmoid } from './sigmoid.ts';
import { sign } from './sign.ts';
import { signConv2d } from './sign-conv2d.ts';
import { signResidual } from './sign-residual.ts';
import { sliceChannels } from './slice-channels.ts';
import { softsign } from './softsign.ts';
import { subsamplePad } from './subsample-pad.ts';
import { tanh } from './tanh.ts';
import { unitLevels } from './unit-levels.ts';
import { xnorConv2d } from './xnor-conv2d.ts';
import { xnorConv2dThreshold } from './xnor-conv2d-threshold.ts';

/** Every op that a packed graph may have without further ado. */
export const packedOps = [
  conv2d,
  signConv2d,
  xnorConv2d,
  xnorConv2dThreshold,
  planesConv2d,
  codePlane,
  sign,
  affineSign,
  affine,
  dense,
  prelu,
  relu,
  hardtanh,
  sigmoid,
  tanh,
  softsign,
  codeLevels,
  unitLevels,
  add,
  multiply,
  pixelScale,
  channelAbsMean,
  sampleScale,
  sampleAbsMean,
  signResidual,
  channelGate,
  concat,
  globalAvgPool,
  reshape,
  interact,
  scale,
  sampleNormalise,
  addOuter,
  positionScale,
  positionShift,
  maxPool,
  avgPool,
  maxPoolSigns,
  subsamplePad,
  sliceChannels,
] as const;
