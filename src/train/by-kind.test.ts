import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parameterKinds } from '../core/parameter-kinds.ts';
import { kindsOf } from '../nn/kinds-of.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { commandOf } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

const directory = mkdtempSync(join(tmpdir(), 'signum-by-kind-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const config = (options: Partial<TrainOptions> = {}) =>
  parseConfig({
    model: 'resnet20',
    method: 'siman',
    data: 'blobs',
    width: 0.125,
    epochs: 1,
    batch: 16,
    optimizer: 'sgd',
    momentum: 0,
    rate: 0.5,
    weightDecay: 0,
    schedule: 'constant',
    ...options,
  });

/** How far one step moves every parameter, by kind. */
async function moves(options: Partial<TrainOptions>) {
  const folder = new RunFolder(mkdtempSync(join(directory, 'run-')));
  const trainer = trainerFor(config(options), blobData(8, 16, 8), folder);
  const kindOf = kindsOf(trainer.network);
  const before = trainer.network.parameters().map(({ value }) => value.data.slice());
  await trainer.run();
  return trainer.network.parameters().map(({ name, value }, i) => ({
    name,
    kind: kindOf(value),
    start: before[i]!,
    moved: value.data.map((x, k) => x - before[i]![k]!),
  }));
}

const norm = (values: Float32Array) => Math.hypot(...values);

test('every kind is there in SiMaN: stem and classifier, batch-norms, scales, slopes and biases', async () => {
  const kinds = await moves({});
  expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(parameterKinds));
  const of = (name: RegExp) => new Set(kinds.filter((p) => name.test(p.name)).map(({ kind }) => kind));
  expect(of(/norm\.(gamma|beta)$/)).toEqual(new Set(['norms']));
  expect(of(/first\.conv\.weight$/)).toEqual(new Set(['latents']));
  expect(of(/layers\.0\.conv\.weight$/)).toEqual(new Set(['weights']));
  expect(of(/weightScale$/)).toEqual(new Set(['quantizers']));
  expect(of(/slope/)).toEqual(new Set(['rest']));
});

test('a rate of a kind moves that kind so much less, and the others as before', async () => {
  const [usual, changed] = [await moves({}), await moves({ rateOf: { norms: 0.05, weights: 0 } })];
  for (const [i, { kind, moved, name }] of usual.entries()) {
    const now = changed[i]!.moved;
    if (kind === 'norms') expect(norm(now), name).toBeCloseTo(norm(moved) / 10, 4);
    else if (kind === 'weights') expect(norm(now), name).toBe(0);
    else expect(now, name).toEqual(moved);
  }
});

test('a decay of a kind draws that kind to 0 by rate * decay, whatever --decay says, and the others not', async () => {
  const usual = await moves({ decay: 'latents' });
  const changed = await moves({ decay: 'latents', decayOf: { norms: 0.01, rest: 0.02 } });
  const decays: Partial<Record<string, number>> = { norms: 0.01, rest: 0.02 };
  for (const [i, { kind, moved, start, name }] of usual.entries())
    for (const [k, value] of moved.entries())
      expect(changed[i]!.moved[k]! - value, name).toBeCloseTo(-0.5 * (decays[kind] ?? 0) * start[k]!, 5);
});

test('both are written as lists, and refused with the kinds there are', () => {
  expect(commandOf(config({ rateOf: { latents: 0.01, norms: 0.1 } }))).toContain('--rate-of latents=0.01,norms=0.1');
  expect(() => config({ rateOf: { latents: -1 } })).toThrow(
    /--rate-of .*numbers of at least 0 by any of latents, weights/,
  );
  const folder = new RunFolder(mkdtempSync(join(directory, 'run-')));
  const without = config({
    optimizer: 'shift-adamax',
    momentum: undefined,
    weightDecay: undefined,
    decayOf: { norms: 0 },
  });
  expect(() => trainerFor(without, blobData(8, 16, 8), folder)).toThrow(/shift-adamax has no weight decay/);
});
