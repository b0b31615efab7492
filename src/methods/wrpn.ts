import { clippedSte } from '../binarize/estimators.ts';
import { unitActivation } from '../binarize/level-activations.ts';
import { layerMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { only } from './forms.ts';
import { defineMethod, type Method } from './method.ts';

/**
 * WRPN: few bits in a wider network: all channel counts times `widen`, weights clipped to [-1,1] and binarized with one scale a
 * layer, activations on [0,1] with k bits (Mishra et al., ICLR 2018, sec. 3; survey [75]).
 */
export function wrpnNet(widen: number, activation: number): Method {
  return defineMethod({
    id: `wrpn-${widen}x${activation === 1 ? '' : `-w1a${activation}`}`,
    revision: 2,
    title: `WRPN, ${widen}x wide, 1-bit weights, ${activation}-bit activations`,
    paper: 'Mishra et al., ICLR 2018',
    family: 'quantization-error',
    bits: { weight: 1, activation },
    widths: { weight: only(1), activation: { from: 1, to: 8 }, make: (bits) => wrpnNet(widen, bits.activation) },
    weight: binarizeWeights({ scale: layerMean, estimator: clippedSte, scaleGradient: 'straight' }),
    activation: unitActivation(activation),
    clippedWeightEstimator: true,
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', widen },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.9 }),
      rate: cosine(),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: true,
    },
  });
}
