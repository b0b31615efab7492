import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kernels } from '../backend/select.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { type Figures, figuresOf, finish, packedOutputs } from './run-fixtures.testing.ts';
import { RunFolder } from './run-folder.ts';

type Expected = Figures & Awaited<ReturnType<typeof finish>>;

const root = fileURLToPath(new URL('./fixtures', import.meta.url));
const cases = readdirSync(root).flatMap((commit) => {
  const file = readFileSync(join(root, commit, 'expected.json'), 'utf8');
  return Object.entries(JSON.parse(file) as Record<string, Expected>).map(([run, expected]) => ({
    commit,
    run,
    expected,
  }));
});

const tanhSlope = 'arithmetic of version 3: the slope of tanh';
/** Runs that continue from the same weights at the same rates, but by another gradient than in the days of version 0.1, and why. */
const mendedGradients: Readonly<Record<string, string>> = {
  'ir-net': tanhSlope,
  'ir-net-rate': tanhSlope,
  'ada-bin': 'the exact gradient of its sets',
  recu: 'the gradient through the unbiased deviation',
  rbnn: 'the gradient through the unbiased deviation',
  'bi-real': "the weights' gradient without their scale",
  'react-net': "the weights' gradient without their scale",
  'dorefa-w2a2': 'the gradient through the largest |tanh w|',
};

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-fixture-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

if (kernels().name !== 'native')
  console.log(
    `run fixtures: digests are of native kernels, these are ${kernels().name}: runs are only loaded and continued`,
  );

test.each(cases)('$run of $commit evaluates, packs and continues as it did', async ({ commit, run, expected }) => {
  const path = join(directory, run);
  cpSync(join(root, commit, run), path, { recursive: true });
  for (const name of readdirSync(path))
    if (name.endsWith('.gz')) writeFileSync(join(path, name.slice(0, -3)), gunzipSync(readFileSync(join(path, name))));
  const isNative = kernels().name === 'native';
  const { file: _, ...figures } = await figuresOf(path);
  const { outputs, packed, tensors, rates, end } = expected;
  if (isNative) {
    expect(figures).toEqual({ outputs, packed, tensors });
    // the file of then, run today
    expect(await packedOutputs(loadPackedModel(readFileSync(join(path, 'model.safetensors'))))).toBe(packed);
  }
  const continued = await finish(path);
  expect(continued.rates).toEqual(rates);
  const isMended = commit === '1b77453' && mendedGradients[run] !== undefined;
  if (isNative && !isMended) expect(continued.end).toBe(end);
  // what it was made with is written down by now, and stays
  const { effective } = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as { effective: unknown };
  expect(new RunFolder(path).readConfig().effective).toEqual(effective);
});

test('every mended gradient is one of a run that is here', () => {
  for (const run of Object.keys(mendedGradients)) expect(cases.map((of) => of.run)).toContain(run);
});
