import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { methods } from '../methods/table.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

const directory = mkdtempSync(join(tmpdir(), 'signum-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const [epochs, batches] = [4, 2];

/** What the schedule's value and the rate were in each step. */
async function course(method: string, name: string, options: Partial<TrainOptions> = {}) {
  const config = parseConfig({
    model: 'resnet20',
    method,
    data: 'blobs',
    width: 0.125,
    epochs,
    batch: 8,
    ...options,
  });
  const trainer = trainerFor(config, blobData(8, 8 * batches, 8), new RunFolder(mkdtempSync(join(directory, 'run-'))));
  const values: number[] = [];
  const rates: number[] = [];
  const watch = () => {
    const { optimizer } = trainer;
    const update = optimizer.update.bind(optimizer);
    vi.spyOn(optimizer, 'update').mockImplementation((trainables, state, rate, step) => {
      rates.push(rate);
      update(trainables, state, rate, step);
    });
  };
  watch();
  // a stage has an optimiser of its own
  const onStep = () => values.push(trainer.network.context.value(name, Number.NaN));
  await trainer.run({ onStep, onNote: watch });
  vi.restoreAllMocks();
  return { values, rates };
}
/** One value for all steps of an epoch. */
const perEpoch = (value: (share: number) => number) =>
  Array.from({ length: epochs * batches }, (_, i) => value(Math.floor(i / batches) / epochs));
const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
};

test("IR-Net's t is that of its code: 10^(log tmin + (log tmax - log tmin) e/E), last at 10^(1-4/E)", async () => {
  const { values, rates } = await course('ir-net', 't');
  close(
    values,
    perEpoch((share) => 10 ** (-3 + 4 * share)),
  );
  expect(values.at(-1)).toBeCloseTo(10 ** (1 - 4 / epochs), 6);
  close(
    rates,
    perEpoch((share) => 0.05 * (1 + Math.cos(Math.PI * share))),
  );
});

test("RBNN's t and AdaBin's move once an epoch from 0.01 and 0.001 to 10", async () => {
  close(
    (await course('rbnn', 't')).values,
    perEpoch((share) => 10 ** (-2 + 3 * share)),
  );
  close(
    (await course('ada-bin', 't')).values,
    perEpoch((share) => 10 ** (-3 + 4 * share)),
  );
});

test("ReCU's tau is A e^(e/E) + B from 0.85 to 0.99, once an epoch", async () => {
  const a = 0.14 / (Math.E - 1);
  close(
    (await course('recu', 'tau')).values,
    perEpoch((share) => a * Math.E ** share + 0.85 - a),
  );
});

test('--clock overrides both: by steps, values move within the epoch', async () => {
  const { values, rates } = await course('ir-net', 't', { clock: 'step', seed: 2 });
  close(
    values,
    Array.from({ length: epochs * batches }, (_, i) => 10 ** (-3 + (4 * i) / (epochs * batches))),
  );
  expect(rates[1]).toBeCloseTo(0.05 * (1 + Math.cos(Math.PI / (epochs * batches))), 6);
});

test("Bi-Real's rate falls once an epoch as 1 - e/E, ReActNet's so in each of its two trainings: their codes' LambdaLR", async () => {
  close(
    (await course('bi-real', 'none')).rates,
    perEpoch((share) => 1e-3 * (1 - share)),
  );
  const { rates, values } = await course('react-net', 'binaryWeights');
  close(
    rates,
    perEpoch((share) => 2.5e-3 * (1 - ((2 * share) % 1))),
  );
  expect(values).toEqual(perEpoch((share) => (share < 0.5 ? 0 : 1)));
});

test('methods whose code ticks by epochs say so', () => {
  const ticking = methods.filter(({ defaults }) => defaults.clock?.schedule === 'epoch').map(({ id }) => id);
  expect(ticking).toEqual(expect.arrayContaining(['ir-net', 'recu', 'rbnn', 'ada-bin', 'siman', 'biper']));
});
