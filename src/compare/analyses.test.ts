import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobData } from '../train/synthetic.testing.ts';
import { readAnalysis } from './analyses.ts';
import { parsePlan } from './plan.ts';
import { type QueueEvents, runFolderOf } from './queue.ts';
import { knownJobs, runComparison, writeReports } from './run.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signum-analyses-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = async () => blobData();
const silent: QueueEvents = { onJob: () => ({}), onResult: () => {}, onError: () => {} };
const plan = (analyses: Record<string, unknown> = {}) =>
  parsePlan({
    title: 'Blobs',
    budget: { epochs: 1 },
    models: [{ model: 'vgg-small', width: 0.125 }],
    methods: ['float', 'bnn'],
    data: ['blobs'],
    seeds: [1],
    again: { best: 1, seeds: [2] },
    training: { batch: 32, optimizer: 'adam', rate: 0.003 },
    analyses: { images: 20, ...analyses },
  });
const whole = plan({ robustness: ['float', 'bnn'], sensitivity: ['bnn'], views: ['bnn'] });
const fileOf = (id: string, kind: string) => runFolderOf(folder, id).file(`${kind}.json`);

test('the rows asked for are analysed, the first seed of each, and stand in both reports', async () => {
  await runComparison(whole, folder, silent, load);
  const [float, bnn, bnnAgain] = knownJobs(whole, folder).map(({ id }) => id);
  expect(readAnalysis(folder, float!, 'robustness')!.images).toBe(20);
  expect(readAnalysis(folder, bnn!, 'sensitivity')!.switched.length).toBeGreaterThan(5);
  expect(existsSync(fileOf(float!, 'views'))).toBe(false);
  expect(existsSync(fileOf(bnnAgain!, 'robustness'))).toBe(false);
  await writeReports(whole, folder, load);
  const [html, markdown] = ['report.html', 'report.md'].map((file) => readFileSync(join(folder, file), 'utf8'));
  for (const title of ['Robustness', 'Layer sensitivity', 'Feature maps and filters']) {
    expect(html).toContain(`<h2>${title}</h2>`);
    expect(markdown).toContain(`## ${title}`);
  }
  expect(html).toContain('"kind":"curves","id":"pgd"');
  expect(markdown).toMatch(/\| pgd 8\/255 \| [\d.]+ \| [\d.]+ \|/);
});

test('an analysis asked for later is made from the weights; without them what the log has stays', async () => {
  await runComparison(plan(), folder, silent, load);
  const [, bnn] = knownJobs(whole, folder).map(({ id }) => id);
  expect(existsSync(fileOf(bnn!, 'robustness'))).toBe(false);
  await runComparison(plan({ robustness: ['bnn'] }), folder, silent, load);
  const logged = readFileSync(fileOf(bnn!, 'robustness'), 'utf8');
  rmSync(runFolderOf(folder, bnn!).file('checkpoint.safetensors'));
  await runComparison(whole, folder, silent, load);
  expect(readFileSync(fileOf(bnn!, 'robustness'), 'utf8')).toBe(logged);
  expect(existsSync(fileOf(bnn!, 'views'))).toBe(false);
});

test('a damaged log and a row that is not there are named', async () => {
  await runComparison(plan({ robustness: ['bnn'] }), folder, silent, load);
  writeFileSync(fileOf(knownJobs(whole, folder)[1]!.id, 'robustness'), '{"images": 3}');
  await expect(writeReports(whole, folder, load)).rejects.toThrow(/robustness\.json is damaged; delete it/);
  expect(() => plan({ views: ['bmn'] })).toThrow(/analyses name "bmn".*did you mean "bnn"/);
});
