import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BinarizeContext } from '../binarize/context.ts';
import { distilled } from '../methods/distilled.ts';
import type { StepView } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { distillationNote, distillationOf } from './distillation.ts';
import { trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

const config = (options: Partial<TrainOptions> = {}) =>
  parseConfig({ model: 'vgg-small', method: 'bnn', data: 'blobs', width: 0.0625, epochs: 1, batch: 32, ...options });

let directory = '';
let teacher = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signum-distillation-'));
  teacher = join(directory, 'teacher');
  const folder = new RunFolder(teacher);
  await folder.whileLocked(() =>
    trainerFor(config({ method: 'float', epochs: 6, optimizer: 'adam', rate: 0.005 }), blobData(), folder).run(),
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the term is share T^2 KL(teacher || student), both softened by T', () => {
  const [student, teached] = [
    [1, -2, 0.5],
    [3, 0, -1],
  ] as const;
  const temperature = 4;
  const softened = (logits: readonly number[]) => {
    const powers = logits.map((value) => Math.exp(value / temperature));
    return powers.map((power) => power / powers.reduce((a, b) => a + b));
  };
  const [p, q] = [softened(student), softened(teached)];
  const divergence = q.reduce((sum, value, i) => sum + value * Math.log(value / p[i]!), 0);
  const row = (values: readonly number[]) => new Tensor(Float32Array.from(values), [1, values.length]);
  const view: StepView = {
    logits: row(student),
    labels: [0],
    layers: [],
    context: new BinarizeContext(1),
    teacher: { logits: row(teached), features: [], layers: [] },
  };
  const method = distilled(methodNamed('bnn'), { share: 0.3, temperature });
  expect(inference(() => method.lossTerms![0]!(view).data[0])).toBeCloseTo(0.3 * temperature ** 2 * divergence, 5);
  expect(method.classificationWeight).toBeCloseTo(0.7, 10);
});

test('every method can be distilled; of its own teacher and what it asks of one nothing is left', () => {
  for (const method of methods) {
    const taught = distilled(method, { share: 0.25, temperature: 2 });
    expect(taught.teacher).toBe('trained');
    expect(taught.teacherFeatures).toBeUndefined();
    const terms = method.teacher === 'trained' || method.teacher === 'joint' ? 0 : (method.lossTerms?.length ?? 0);
    expect(taught.lossTerms, method.id).toHaveLength(terms + 1);
    expect(taught.classificationWeight, method.id).toBe(
      0.75 * (method.teacher ? 1 : (method.classificationWeight ?? 1)),
    );
  }
  // terms that can do without a teacher do without it
  const [own] = distilled(methodNamed('react-net'), { share: 1, temperature: 1 }).lossTerms!;
  const logits = randomTensor([2, 3], 1);
  const view = { logits, labels: [0, 1], layers: [], context: new BinarizeContext(1) };
  expect(inference(() => own!({ ...view, teacher: { logits, features: [], layers: [] } }).data[0])).toBeCloseTo(0, 10);
});

test('what is given decides: a share, a teacher of a method without a way of its own, or neither', () => {
  const of = (method: string, options: Partial<TrainOptions>) =>
    distillationOf(config({ method, ...options }), methodNamed(method));
  expect(of('bnn', {})).toBeNull();
  expect(of('bnn', { teacher: 'x' })).toEqual({ share: 0.5, temperature: 4 });
  expect(of('bnn', { teacher: 'x', distill: 0.9, temperature: 2 })).toEqual({ share: 0.9, temperature: 2 });
  expect(of('apprentice-b', { teacher: 'x' })).toBeNull();
  expect(of('apprentice-b', { teacher: 'x', distill: 1 })).toEqual({ share: 1, temperature: 4 });
  expect(() => of('bnn', { distill: 0.5 })).toThrow(/--distill 0.5: nobody to learn from; .* --teacher/);
  expect(() => of('bnn', { temperature: 2 })).toThrow(/--temperature 2: .* --teacher <run> and --distill/);
  expect(() => of('apprentice-b', { teacher: 'x', temperature: 2 })).toThrow(/in its own way: pass --distill 0.5/);
  expect(
    distillationNote(config({ method: 'apprentice-a', teacher: 'x', distill: 0.5 }), methodNamed('apprentice-a')),
  ).toMatch(/a teacher that learns along; --distill takes its place: 0.5 of the loss .* temperature 4/);
  expect(distillationNote(config({ teacher: 'x' }), methodNamed('bnn'))).toBeNull();
});

test.each(['bnn', 'apprentice-a', 'real-to-binary'])(
  '%s learns from a trained teacher, says what gives way, and resumes exactly',
  async (method) => {
    const notes: string[] = [];
    const options = config({ method, teacher, distill: 1, epochs: 3 });
    const run = (name: string, existing: 'replace' | 'resume', stopAfter = Number.POSITIVE_INFINITY) => {
      const folder = new RunFolder(join(directory, name));
      let steps = 0;
      const onStep = () => {
        if (++steps === stopAfter) process.emit('SIGINT');
      };
      return trainRun(folder, options, blobData(), { existing, onStep, onNote: (line) => notes.push(line) });
    };
    const whole = await run(`${method}-whole`, 'replace');
    await run(`${method}-cut`, 'replace', 11);
    const resumed = await run(`${method}-cut`, 'resume');
    const weights = (of: typeof whole) => of.network.parameters().map(({ value }) => value.data);
    expect(weights(resumed)).toEqual(weights(whole));
    expect(notes.some((note) => note.includes('--distill takes its place'))).toBe(method !== 'bnn');
  },
);

test('with a share of 1 labels have no part in it: a student learns with all of them wrong', async () => {
  const data = blobData();
  const wrong = { ...data, train: { ...data.train, labels: new Uint16Array(data.train.count) } };
  const options = config({
    method: 'bi-real',
    width: 0.125,
    teacher,
    distill: 1,
    epochs: 6,
    optimizer: 'adam',
    rate: 0.005,
  });
  const folder = new RunFolder(join(directory, 'wrong'));
  const { evaluation } = await folder.whileLocked(() => trainerFor(options, wrong, folder).run());
  expect(evaluation!.top1).toBeGreaterThan(0.7);
});
