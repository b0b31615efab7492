import { floatActivation } from '../binarize/activations.ts';
import { floatWeights } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

/** Not a binarization: the same networks in float32, as the baseline of every comparison. */
export const float = defineMethod({
  id: 'float',
  title: 'Full precision baseline',
  paper: 'He et al., CVPR 2016',
  family: 'float',
  bits: { weight: 32, activation: 32 },
  weight: floatWeights,
  activation: floatActivation,
  floatPacked: 'nothing in it is binary',
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
