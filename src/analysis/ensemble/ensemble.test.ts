import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { bestClasses } from '../../runtime/prediction.ts';
import { Ballot, PackedEnsemble, type Vote } from '../../runtime/vote.ts';
import { parseConfig } from '../../train/config.ts';
import { blobData } from '../../train/synthetic.testing.ts';
import { ensembleFile } from '../file-names.ts';
import { evaluatePacked } from '../packed-evaluation.ts';
import { boost, drawn } from './boosting.ts';
import { type Ensemble, loadPackedEnsemble, readEnsemble } from './ensemble.ts';
import { type EnsembleEvents, EnsembleTraining } from './training.ts';

// so far apart that their exponentials differ in float32 too
const floats = fc.array(
  fc.integer({ min: -64, max: 64 }).map((value) => value / 8),
  { minLength: 12, maxLength: 12 },
);

describe('the vote', () => {
  test('of K identical networks is the network, soft or hard', () => {
    fc.assert(
      fc.property(floats, fc.integer({ min: 1, max: 5 }), fc.constantFrom<Vote>('soft', 'hard'), (values, K, vote) => {
        const logits = Float32Array.from(values);
        const ballot = new Ballot(3, 4, vote);
        for (let k = 0; k < K; k++) ballot.cast(logits, 1);
        const best = (of: Float32Array) => bestClasses(of, ['a', 'b', 'c', 'd'], 1).map(([first]) => first!.index);
        const together = ballot.logits();
        expect(best(together)).toEqual(best(logits));
        if (vote === 'hard') return;
        const probabilities = (of: Float32Array) => bestClasses(of, ['a', 'b', 'c', 'd'], 4).flat();
        const alone = probabilities(logits);
        probabilities(together).forEach(({ probability }, i) => {
          expect(probability).toBeCloseTo(alone[i]!.probability, 5);
        });
      }),
    );
  });

  test('ranks by logits where probabilities are equal when rounded', () => {
    const logits = Float32Array.of(1e-29, -3, 4e-11, 1e-29, -200, -300);
    const ballot = new Ballot(1, 6, 'soft');
    for (const weight of [1, 0.3, 2]) ballot.cast(logits, weight);
    const order = (of: Float32Array) =>
      bestClasses(of, [...'abcdef'], 6)[0]!
        .map(({ label }) => label)
        .join('');
    expect(order(logits)).toBe('cadbef');
    expect(order(ballot.logits())).toBe('cadbef');
    expect(ballot.logits()[0]).toBe(ballot.logits()[3]);
    // 1.5e-7 apart: what the votes say is not changed for the order's sake
    expect(ballot.logits()[2]! - ballot.logits()[0]!).toBeLessThan(3e-7);
  });

  test('by hand: two unsure networks outvote a sure one when hard, not when soft', () => {
    const networks = [
      [3, 0],
      [-0.1, 0],
      [-0.1, 0],
    ].map((row) => Float32Array.from(row));
    const winner = (vote: Vote, weights: number[]) => {
      const ballot = new Ballot(1, 2, vote);
      for (const [i, logits] of networks.entries()) ballot.cast(logits, weights[i]!);
      return bestClasses(ballot.logits(), ['0', '1'], 1)[0]![0]!;
    };
    expect(winner('hard', [1, 1, 1])).toMatchObject({ index: 1, probability: expect.closeTo(2 / 3, 5) });
    expect(winner('soft', [1, 1, 1]).index).toBe(0);
    expect(winner('hard', [3, 1, 1]).index).toBe(0);
    // without a single vote no class leads
    expect(winner('hard', [0, 0, 0]).probability).toBeCloseTo(0.5, 6);
  });
});

describe('AdaBoost', () => {
  test('by hand: an error of 1/4 among 3 classes', () => {
    const importance = Float64Array.of(0.25, 0.25, 0.25, 0.25);
    const alpha = boost(importance, [true, true, true, false], 3);
    expect(alpha).toBeCloseTo(Math.log(3) + Math.log(2), 12);
    // the wrong one counts exp(alpha) = 6 times as much
    expect([...importance]).toEqual([1 / 9, 1 / 9, 1 / 9, 6 / 9].map((value) => expect.closeTo(value, 12)));
  });

  test('a network that is no better than chance has no vote, a perfect one a finite one', () => {
    const importance = Float64Array.of(0.1, 0.9);
    expect(boost(importance, [true, false], 2)).toBe(0);
    expect([...importance]).toEqual([0.5, 0.5]);
    expect(boost(importance, [false, false], 2)).toBe(0);
    expect(boost(importance, [true, true], 2)).toBeCloseTo(Math.log(1e6), 3);
    expect([...importance]).toEqual([0.5, 0.5]);
  });

  test('images are drawn as often as they are important', () => {
    const importance = Float64Array.from({ length: 4000 }, (_, i) => (i < 1000 ? 7 : i < 2000 ? 0 : 1));
    const counts = [0, 0, 0, 0];
    for (const place of drawn(importance, new Random(2))) counts[Math.floor(place / 1000)]!++;
    expect(counts[1]).toBe(0);
    expect(counts[0]! / 4000).toBeCloseTo(7 / 9, 1);
    expect(counts[2]! + counts[3]! + counts[0]!).toBe(4000);
  });
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signum-ensemble-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const blobs = blobData();
const silent: EnsembleEvents = { onMember: () => ({}), onTrained: () => {} };
const ensemble = (changes: Partial<Ensemble> = {}): Ensemble => ({
  form: 'boosting',
  vote: 'soft',
  size: 3,
  sequential: false,
  training: parseConfig({
    model: 'vgg-small',
    width: 0.125,
    method: 'bnn',
    data: 'blobs',
    epochs: 1,
    batch: 32,
    optimizer: 'adam',
    rate: 0.003,
  }),
  members: [],
  ...changes,
});

test('the packed networks vote as the trained ones; stopped after one, an ensemble goes on to the same end', async () => {
  const whole = await new EnsembleTraining(join(folder, 'whole'), ensemble(), blobs).run(silent);
  const { top1 } = await evaluatePacked(loadPackedEnsemble(join(folder, 'whole')), blobs);
  expect(top1).toBeCloseTo(whole!.members.at(-1)!.voteAccuracy, 12);
  const first = ensemble({ size: 1 });
  await new EnsembleTraining(join(folder, 'parts'), first, blobs).run(silent);
  const rest = { ...readEnsemble(join(folder, 'parts')), size: 3 };
  const resumed = await new EnsembleTraining(join(folder, 'parts'), rest, blobs).run(silent);
  expect(resumed).toEqual(whole);
});

test('bagging weighs all alike; each network may start from the one before', async () => {
  const trained = await new EnsembleTraining(
    folder,
    ensemble({ form: 'bagging', size: 2, sequential: true }),
    blobs,
  ).run(silent);
  expect(trained!.members.map(({ weight }) => weight)).toEqual([1, 1]);
  expect(JSON.parse(readFileSync(join(folder, 'member-2', 'config.json'), 'utf8'))).toMatchObject({
    init: join(folder, 'member-1'),
    seed: 2,
  });
});

test('what cannot vote says why', async () => {
  const one = ensemble({ form: 'bagging', size: 1 });
  await new EnsembleTraining(folder, one, blobs).run(silent);
  const { models } = loadPackedEnsemble(folder);
  expect(() => new PackedEnsemble(models, [], 'soft')).toThrow(/1 networks and 0 weights/);
  const other = { ...models[0]!, graph: { ...models[0]!.graph, mean: [7] } } as unknown as (typeof models)[0];
  expect(() => new PackedEnsemble([models[0]!, other], [1, 1], 'soft')).toThrow(/network 2 of the ensemble/);
  writeFileSync(join(folder, ensembleFile), JSON.stringify({ ...readEnsemble(folder), size: 2 }));
  expect(() => loadPackedEnsemble(folder)).toThrow(/1 of its 2 networks.*--resume/);
  writeFileSync(join(folder, ensembleFile), '{"form":');
  expect(() => readEnsemble(folder)).toThrow(/ensemble\.json is damaged/);
});
