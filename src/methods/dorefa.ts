import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { quantizeGradient } from '../binarize/gradients.ts';
import { unitActivation } from '../binarize/level-activations.ts';
import { layerMean } from '../binarize/scales.ts';
import { binarizeWeights, floatWeights, tanhLevels } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type Method } from './method.ts';

export interface DorefaBits {
  readonly weight: number;
  readonly activation: number;
  /** 32 leaves gradients float. */
  readonly gradient?: number;
}

/**
 * DoReFa-Net: k-bit weights (one bit: sign(w) mean|w| over the layer, straight through), k-bit activations on [0,1], k-bit
 * stochastic gradients (Zhou et al. 2016, eq. 5-12; survey [60]).
 */
export function dorefaNet({ weight, activation, gradient = 32 }: DorefaBits): Method {
  const oneBit = binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' });
  const suffix =
    weight === 1 && activation === 32 ? '' : `-w${weight}a${activation}${gradient < 32 ? `g${gradient}` : ''}`;
  return defineMethod({
    id: `dorefa${suffix}`,
    ...(weight === 1 && activation >= 32 ? {} : { revision: 2 }),
    title: `DoReFa-Net ${weight}/${activation}/${gradient} bits`,
    paper: 'Zhou et al., 2016',
    family: 'quantization-error',
    bits: { weight, activation },
    weight: weight === 1 ? oneBit : weight >= 32 ? floatWeights : tanhLevels(weight),
    activation: activation >= 32 ? floatActivation : unitActivation(activation),
    ...(gradient < 32 ? { output: (y, context) => quantizeGradient(y, gradient, context) } : {}),
    ...(gradient === 32
      ? {
          widths: {
            weight: { from: 1, to: 8, float: true },
            activation: { from: 1, to: 8, float: true },
            make: dorefaNet,
          },
        }
      : {}),
    ...(weight > 1 ? { floatPacked: 'its k-bit weights are no signs: they are multiplied in float' } : {}),
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
    defaults: {
      optimizer: adam({ rate: 1e-3 }),
      // halved once, after 100 of 200 epochs, in the authors' code
      rate: steps([0.5], 0.5),
      clock: { rate: 'epoch' },
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });
}

export const dorefa = dorefaNet({ weight: 1, activation: 32 });
