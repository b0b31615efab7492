import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, clippedSte } from '../binarize/estimators.ts';
import { learningOutput } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import { binaryWeights, floatUntil } from '../binarize/stages.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps, warmUp } from '../optim/schedules.ts';
import { relu, sigmoid } from '../tensor/ops/activation.ts';
import { add, scale, sum } from '../tensor/ops/arithmetic.ts';
import { attentionDistance, attentionMap } from '../tensor/ops/attention.ts';
import { dense } from '../tensor/ops/conv.ts';
import { klDivergence } from '../tensor/ops/distillation.ts';
import { globalAvgPool } from '../tensor/ops/pooling.ts';
import { channelGate } from '../tensor/ops/sample.ts';
import { defineMethod, type LossTerm } from './method.ts';

const reduction = 8;

/** Outputs times a gate per channel, computed from the real input: sigmoid(W2 relu(W1 mean(x))) (Martinez 2020, eq. 4). */
const dataDrivenScale = learningOutput(
  ({ input, output, random }) => {
    const [inputs, outputs] = [input.at(-1)!, output.at(-1)!];
    const hidden = Math.max(1, Math.ceil(inputs / reduction));
    const normal = (rows: number, columns: number) => {
      const values = new Float32Array(rows * columns);
      random.fillNormal(values, 0, Math.sqrt(2 / rows));
      return { values, shape: [rows, columns], decay: true };
    };
    return { learned: { squeeze: normal(inputs, hidden), excite: normal(hidden, outputs) } };
  },
  (y, { learned }, input) =>
    channelGate(y, sigmoid(dense(relu(dense(globalAvgPool(input), learned['squeeze']!)), learned['excite']!))),
);

/** The student looks where its teacher looks (eq. 2-3); nothing to add without a teacher. */
const attention: LossTerm = ({ logits, layers, teacher }) =>
  layers
    .flatMap(({ input }, i) => (teacher?.features[i] ? [attentionDistance(input, teacher.features[i])] : []))
    .reduce(add, scale(sum(logits), 0));

/** weight KL(teacher || student) of the answers; nothing to add without a teacher. */
const answers =
  (weight: number): LossTerm =>
  ({ logits, teacher }) =>
    teacher ? scale(klDivergence(logits, teacher.logits, 1), weight) : scale(sum(logits), 0);

/**
 * Real-to-Binary: a Bi-Real network with PReLU and a gate on every convolution computed from its real input. Three trainings, each the teacher of
 * the next: the network in floats, which learns from a float ResNet (`--teacher`), with binary activations, and with binary weights too; attention maps
 * and answers are matched (Martinez et al., ICLR 2020, eq. 2-5 and sec. 4.2; rates and weights of the losses: larq/zoo, which reproduced it; survey [79]).
 */
export const realToBinary = defineMethod({
  id: 'real-to-binary',
  revision: 2,
  title: 'Real-to-Binary',
  paper: 'Martinez et al., ICLR 2020',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: floatUntil(
    binaryWeights,
    binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'detached' }),
  ),
  activation: binarizeActivation(approxSign),
  output: dataDrivenScale,
  teacher: 'optional',
  teacherFeatures: (inputs) => inputs.map(attentionMap),
  lossTerms: [attention],
  clippedWeightEstimator: true,
  stages: [
    { name: 'real', epochs: 75, binary: 'none', lossTerms: [attention, answers(3)] },
    { name: 'activations', epochs: 75, binary: 'activations', teacher: 'previous', lossTerms: [attention, answers(3)] },
    {
      name: 'both',
      epochs: 75,
      binary: 'both',
      teacher: 'previous',
      lossTerms: [answers(0.8)],
      teacherFeatures: () => [],
      defaults: { optimizer: adam({ rate: 2e-4 }) },
    },
  ],
  structure: { order: 'bn-conv', shortcut: 'every-conv', activation: 'prelu', activationPlace: 'in-branch' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: warmUp(5, steps([40 / 75, 60 / 75, 70 / 75], 0.3)),
    epochs: 225,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
