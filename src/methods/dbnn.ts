import { sigmoid } from '../tensor/ops/activation.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { meanSquaredError } from '../tensor/ops/distillation.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bnn } from './bnn.ts';
import { defineMethod, type LossTerm, type Method, type StepView } from './method.ts';

const lambda = 0.5;

/** (1-lambda) D(y_S, y) + lambda D(y_S, y_T), D the mean squared error. */
export const distilledError = (output: Tensor, target: Tensor, taught: Tensor): Tensor =>
  add(scale(meanSquaredError(output, target), 1 - lambda), scale(meanSquaredError(output, taught), lambda));

function oneHot({ labels, mixed }: Pick<StepView, 'labels' | 'mixed'>, classes: number): Tensor {
  const values = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const share = mixed ? mixed.shares[i]! : 1;
    values[i * classes + labels[i]!]! += share;
    if (mixed) values[i * classes + mixed.labels[i]!]! += 1 - share;
  }
  return new Tensor(values, [labels.length, classes]);
}

/** Outputs are masks in [0,1], as in the paper's separation network: one for each class here. */
const distilled: LossTerm = (view) =>
  distilledError(sigmoid(view.logits), oneHot(view, view.logits.channels), sigmoid(view.teacher!.logits));

/**
 * DBNN: a binary network learns the labels and the outputs of a trained float network alike, by squared error (Chen, Liu, Shi, Xu and Xu, IJCNN
 * 2018; survey [80]: made for speech separation, whose masks are classes here). The paper's weights of the two are not known; half and half here.
 */
export const dbnn: Method = defineMethod({
  ...bnn,
  id: 'dbnn',
  title: 'Distilled Binary Neural Network',
  paper: 'Chen et al., IJCNN 2018',
  family: 'loss',
  teacher: 'trained',
  classificationWeight: 0,
  lossTerms: [distilled],
  structure: { ...bnn.structure, firstLast: 'float' },
  defaults: { ...bnn.defaults, loss: 'cross-entropy', epochs: 200, batch: 128 },
});
