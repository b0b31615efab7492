import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../models/table.ts';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { attentionDistance, attentionMap } from '../tensor/ops/attention.ts';
import { klDivergence, meanSquaredError, softCrossEntropy } from '../tensor/ops/distillation.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { apprenticeA, apprenticeB } from './apprentice.ts';
import { distilledError } from './dbnn.ts';
import { differentiableQuantization, quantizedDistillation } from './distillation-quantization.ts';
import { Bench, gradientsOf, rounded } from './equations.testing.ts';
import type { StepView } from './method.ts';
import { guidedTraining } from './stepping.ts';

const row = (...values: number[]) => new Tensor(Float32Array.from(values), [1, values.length], true);
const number = (f: () => Tensor) => inference(() => f().data[0]!);
const constant = (tensor: Tensor) => new Tensor(tensor.data, tensor.shape);

test('softened losses by finite differences', () => {
  const teacher = constant(randomTensor([4, 3], 2));
  checkGradients((x) => softCrossEntropy(x, teacher, 1), [randomTensor([4, 3], 1)], 1e-3);
  checkGradients((x) => klDivergence(x, teacher, 2), [randomTensor([4, 3], 1)], 1e-3);
  checkGradients((x) => meanSquaredError(x, teacher), [randomTensor([4, 3], 1)], 1e-3);
  checkGradients(meanSquaredError, [randomTensor([4, 3], 1), randomTensor([4, 3], 5)], 1e-3);
  expect(() => softCrossEntropy(row(1, 2), row(1, 2, 3))).toThrow(/both need the same classes/);
});

test('DQ (survey [81]): 0.7 T^2 KL + 0.3 CE of the notes', () => {
  const [student, teacher] = [row(1, 1, 0), row(2, 1, 0)];
  expect(number(() => klDivergence(student, teacher, 2))).toBeCloseTo(0.0309906, 6);
  const view = {
    logits: student,
    labels: [0],
    teacher: { logits: teacher, features: [], layers: [] },
  } as unknown as StepView;
  const { lossTerms, classificationWeight } = quantizedDistillation;
  const total = number(() =>
    add(lossTerms![0]!(view), scale(softmaxCrossEntropy(student, [0]), classificationWeight!)),
  );
  expect(total).toBeCloseTo(0.3453722, 5);
});

test('Apprentice (survey [82], eq. 11): the three terms of the notes and the gradient of the student', () => {
  const [student, teacher] = [row(1, 1, 0), row(2, 1, 0)];
  const view = {
    logits: student,
    labels: [0],
    teacher: { logits: teacher, features: [], layers: [] },
  } as unknown as StepView;
  const loss = (method: typeof apprenticeA) =>
    add(method.lossTerms![0]!(view), scale(softmaxCrossEntropy(student, [0]), method.classificationWeight!));
  expect(number(() => loss(apprenticeA))).toBeCloseTo(1.314616, 5);
  const { student: gradient, teacher: taught } = gradientsOf({ student, teacher }, () => loss(apprenticeA));
  expect(gradient).toEqual([-0.4103, 0.3, 0.1103]);
  // the teacher learns from its labels alone
  const own = gradientsOf({ teacher }, () => softmaxCrossEntropy(teacher, [0]))['teacher'];
  expect(taught).toEqual(own);
  expect(gradientsOf({ teacher, student }, () => loss(apprenticeB))['teacher']).toEqual([0, 0, 0]);
});

test('DBNN (survey [80]): half the labels, half the teacher', () => {
  const [y, taught, output] = [constant(row(1, 0)), constant(row(0.8, 0.2)), row(0.6, 0.3)];
  expect(number(() => distilledError(output, y, taught))).toBeCloseTo(0.075, 6);
  expect(gradientsOf({ output }, () => distilledError(output, y, taught))['output']).toEqual([-0.3, 0.2]);
});

describe('two values per filter (survey [81])', () => {
  test('least or largest, whichever is nearer; the gradient passes unchanged', () => {
    const bench = new Bench(quantizedDistillation, [[-1], [-0.2], [0.1], [0.6], [1]]);
    expect(bench.effective()).toEqual([-1, -1, 1, 1, 1]);
    expect(bench.weightGradients([1, 2, 3, 4, 5])['weight']).toEqual([1, 2, 3, 4, 5]);
    expect(rounded(new Bench(quantizedDistillation, [[0.1], [0.2], [0.9]]).effective())).toEqual([0.1, 0.1, 0.9]);
  });

  test('learned points of the notes: each gets the range times the gradients of its weights, weights none', () => {
    const bench = new Bench(differentiableQuantization, [[0], [0.2], [0.8], [1.8], [2]]);
    bench.layer.learned['points']!.data.set([0.2, 0.8]);
    expect(rounded(bench.effective())).toEqual([0.4, 0.4, 0.4, 1.6, 1.6]);
    const { weight, points } = bench.weightGradients([0, 1, 2, 3, 0]);
    expect([weight, points]).toEqual([
      [0, 0, 0, 0, 0],
      [6, 6],
    ]);
  });
});

describe('Real-to-Binary (survey [79])', () => {
  test('attention maps have norm 1 and ignore the scale of activations; gradients by finite differences', () => {
    const x = randomTensor([2, 3, 3, 4], 1);
    const [map, scaled] = inference(() => [
      [...attentionMap(x).data],
      [
        ...attentionMap(
          new Tensor(
            x.data.map((v) => 3 * v),
            x.shape,
          ),
        ).data,
      ],
    ]);
    expect(rounded(scaled!)).toEqual(rounded(map!));
    expect(Math.hypot(...map!.slice(0, 9))).toBeCloseTo(1, 5);
    checkGradients(attentionMap, [x], 1e-3);
    const teacher = new Tensor(
      Float32Array.from(map!).map((v, i) => v + 0.1 * i),
      [2, 9],
    );
    checkGradients((a) => attentionDistance(a, teacher), [x], 1e-3);
    expect(() => attentionDistance(x, new Tensor(new Float32Array(8), [2, 4]))).toThrow(/teacher of the same topology/);
    expect(number(() => attentionDistance(x, new Tensor(Float32Array.from(map!), [2, 9])))).toBeCloseTo(0, 8);
  });

  test("a gate per channel, computed by two small layers from each layer's real input", () => {
    const network = buildNetwork({
      model: 'resnet20',
      method: 'real-to-binary',
      inputShape: [8, 8, 3],
      classes: 4,
      width: 1,
      seed: 1,
    });
    const learned = network.parameters().filter(({ name }) => name.includes('first.conv.learned'));
    expect(learned.slice(0, 2).map(({ name, value }) => [name.split('.').at(-1), ...value.shape])).toEqual([
      ['squeeze', 16, 2],
      ['excite', 2, 16],
    ]);
  });
});

test('guided training (survey [125]): a quarter of the mean squared distance of the last two layers, pulling at both networks', () => {
  const [student, teacher] = [row(1, 1, 0), row(2, 1, 0)];
  const probes = (...inputs: Tensor[]) => inputs.map((input) => ({ input }));
  const [ours, theirs] = [row(1, 2), row(0, 4)];
  const view = {
    logits: student,
    labels: [0],
    layers: probes(row(9, 9), ours, ours),
    teacher: { logits: teacher, features: [], layers: probes(row(7, 7), theirs, theirs) },
  } as unknown as StepView;
  const loss = () => guidedTraining.lossTerms![0]!(view);
  expect(number(loss)).toBeCloseTo(number(() => softmaxCrossEntropy(teacher, [0])) + 2 * 0.25 * 2.5, 5);
  const gradients = gradientsOf({ ours, theirs, teacher }, loss);
  expect(gradients['ours']).toEqual([0.5, -1]);
  expect(gradients['theirs']).toEqual([-0.5, 1]);
  expect(gradients['teacher']).toEqual(gradientsOf({ teacher }, () => softmaxCrossEntropy(teacher, [0]))['teacher']);
});
