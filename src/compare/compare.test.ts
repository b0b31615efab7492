import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { methods } from '../methods/table.ts';
import { readCheckpoint } from '../train/checkpoint.ts';
import { blobData } from '../train/synthetic.testing.ts';
import { meanAndSpread, publishedFigures } from './comparison.ts';
import { jobsOf } from './jobs.ts';
import { paretoFront } from './pareto.ts';
import { parsePlan, readPlan } from './plan.ts';
import { type QueueEvents, runFolderOf } from './queue.ts';
import { readResult } from './result.ts';
import { knownJobs, runComparison, writeReports } from './run.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signum-compare-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const blobs = blobData();
const load = async () => blobs;
const silent: QueueEvents = { onJob: () => ({}), onResult: () => {}, onError: () => {} };
const plan = (changes: Record<string, unknown> = {}) =>
  parsePlan({
    title: 'Blobs',
    budget: { epochs: 2 },
    models: [{ model: 'vgg-small', width: 0.125 }],
    methods: ['bnn', 'dbnn'],
    data: ['blobs'],
    seeds: [1],
    training: { batch: 32, optimizer: 'adam', rate: 0.003 },
    ...changes,
  });
const checkpointOf = (id: string) => readFileSync(runFolderOf(folder, id).file('checkpoint.safetensors'));

test('a plan names the first thing that is wrong', () => {
  expect(() => plan({ methods: ['bn'] })).toThrow(/unknown method "bn"; did you mean "bnn"/);
  expect(() => plan({ models: ['resnet21'] })).toThrow(/unknown model/);
  expect(() => plan({ budget: { epochs: 0 } })).toThrow(/plan: budget/);
  expect(() => plan({ budget: {} })).toThrow(/plan: budget/);
  expect(() => plan({ methods: ['7/7'] })).toThrow(/no method has 7\/7 bits.*1\/32/);
  expect(() => plan({ methods: ['bnn', { method: 'bnn' }] })).toThrow(/method bnn stands there twice.*label/);
  expect(() => plan({ seeds: [1], again: { best: 1, seeds: [1] } })).toThrow(/seed 1 stands there twice/);
  expect(() => plan({ sedes: [1] })).toThrow(/sedes/);
  expect(() => jobsOf(plan({ training: { epochz: 1 } }), folder, [1], 2)).toThrow(/unknown training option "epochz"/);
  writeFileSync(join(folder, 'plan.json'), '{');
  expect(() => readPlan(join(folder, 'plan.json'))).toThrow(/is not JSON/);
  expect(() => readPlan(join(folder, 'none.json'))).toThrow(/none\.json/);
});

test('a selector of bits stands for every method of these bits; entries by name keep their own options', () => {
  const jobs = jobsOf(plan({ methods: ['1/32', { method: 'bwn', training: { rate: 0.1 } }] }), folder, [1, 2], 2);
  const expected = methods.filter(({ bits }) => bits.weight === 1 && bits.activation === 32).map(({ id }) => id);
  const trained = jobs.filter(({ seed, label }) => seed === 1 && label !== 'float').map(({ label }) => label);
  expect([...trained].sort()).toEqual([...expected].sort());
  expect(jobs.find(({ label }) => label === 'bwn')!.config.rate).toBe(0.1);
  // dq learns from a float run of the same seed, which comes before it
  const dq = jobs.find(({ label, seed }) => label === 'dq' && seed === 2)!;
  expect(dq.config.teacher).toContain('float-seed2');
  expect(jobs.findIndex(({ id }) => id === dq.needs)).toBeLessThan(jobs.indexOf(dq));
});

test('a comparison trains, packs and ranks all rows; one that diverges keeps its place and its reason', async () => {
  const given = plan({
    methods: ['bnn', 'dbnn', { method: 'bnn', label: 'wild', training: { optimizer: 'sgd', rate: 1e38 } }],
    again: { best: 1, seeds: [2] },
  });
  const ranked: string[] = [];
  const events: QueueEvents = { ...silent, onResult: ({ id }) => ranked.push(id) };
  expect(await runComparison(given, folder, events, load)).toBe('finished');
  const { rows, open } = await writeReports(given, folder, load);
  expect(open).toBe(0);
  expect(rows.map(({ label }) => label).sort()).toEqual(['bnn', 'dbnn', 'float', 'wild']);
  expect(rows.at(-1)).toMatchObject({ label: 'wild', accuracy: null });
  expect(rows.at(-1)!.failed).toMatch(/diverged/);
  const twice = rows.filter(({ runs }) => runs.length === 2).map(({ method }) => method.id);
  expect(twice.filter((id) => id !== 'float')).toHaveLength(1);
  // four rows, the best one again, and the float run that it may learn from
  expect(ranked).toHaveLength(4 + twice.length);
  for (const { accuracy, runs, packedBytes, latencyMs } of rows.slice(0, -1)) {
    const [{ result }] = runs as [(typeof runs)[0]];
    expect(accuracy!.mean).toBeGreaterThan(0.3);
    expect(result).toMatchObject({ packedAccuracy: (result as { accuracy: number }).accuracy });
    expect(packedBytes).toBeGreaterThan(1000);
    expect(latencyMs).toBeGreaterThan(0);
  }
  const html = readFileSync(join(folder, 'report.html'), 'utf8');
  const markdown = readFileSync(join(folder, 'report.md'), 'utf8');
  for (const { label } of rows) {
    expect(html).toContain(label);
    expect(markdown).toContain(`| ${label} |`);
  }
  expect(html).not.toMatch(/(src|href)="https?:/);
  expect(markdown).toContain('signum train --model vgg-small');
  // a second call has nothing left to do and gives the same reports
  expect(await runComparison(given, folder, silent, load)).toBe('finished');
});

test('killed in the middle and begun again, it ends with the weights of an uninterrupted one', async () => {
  const [first] = jobsOf(plan({ methods: ['bnn'] }), folder, [1], 2);
  await runComparison(plan({ methods: ['bnn'] }), folder, silent, load);
  const whole = checkpointOf(first!.id);
  rmSync(join(folder, 'runs'), { recursive: true });
  const killed: QueueEvents = {
    ...silent,
    onJob: () => ({
      onEpoch: () => {
        throw new Error('killed');
      },
    }),
  };
  await expect(runComparison(plan({ methods: ['bnn'] }), folder, killed, load)).rejects.toThrow('killed');
  expect(readResult(runFolderOf(folder, first!.id))).toBeNull();
  expect(await runComparison(plan({ methods: ['bnn'] }), folder, silent, load)).toBe('finished');
  expect(checkpointOf(first!.id).equals(whole)).toBe(true);
});

test('a float run whose weights are gone is trained again, if a run to come starts from them', async () => {
  const before = plan({ methods: ['float', 'bnn'] });
  await runComparison(before, folder, silent, load);
  const weights = runFolderOf(folder, knownJobs(before, folder)[0]!.id).file('checkpoint.safetensors');
  const whole = readFileSync(weights);
  rmSync(weights);
  const trained: string[] = [];
  const listen: QueueEvents = { ...silent, onResult: ({ label }) => trained.push(label) };
  await runComparison(before, folder, listen, load);
  expect(trained).toEqual([]);
  await runComparison(plan({ methods: ['float', 'bnn', 'apprentice-b'] }), folder, listen, load);
  expect(trained).toEqual(['float', 'apprentice-b']);
  expect(readFileSync(weights).equals(whole)).toBe(true);
});

test('a comparison that was moved in the middle finds its teachers where they are now', async () => {
  const given = plan({ methods: ['apprentice-b'] });
  const before = join(folder, 'before');
  const killed: QueueEvents = {
    ...silent,
    onJob: ({ needs }) => ({
      onEpoch: () => {
        if (needs) throw new Error('killed');
      },
    }),
  };
  await expect(runComparison(given, before, killed, load)).rejects.toThrow('killed');
  const after = join(folder, 'after');
  renameSync(before, after);
  expect(await runComparison(given, after, silent, load)).toBe('finished');
});

test('a run in the hands of another process is left to it, also where this machine takes its lock for a stale one', async () => {
  const given = plan({ methods: ['bnn', 'bi-real'] });
  const [taken, free] = knownJobs(given, folder);
  await runFolderOf(folder, taken!.id).whileLocked(async () => {
    // the clock of the disk is another one
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    expect(runFolderOf(folder, taken!.id).isTaken).toBe(false);
    expect(await runComparison(given, folder, silent, load)).toBe('busy');
    vi.useRealTimers();
    expect(runFolderOf(folder, taken!.id).isTaken).toBe(true);
  });
  expect(readResult(runFolderOf(folder, taken!.id))).toBeNull();
  expect(readResult(runFolderOf(folder, free!.id))).not.toBeNull();
});

test('Ctrl-C in the last step of a run stops the queue; continued, the run needs no further step', async () => {
  const given = plan({ methods: ['bnn', 'bi-real'] });
  const last: QueueEvents = {
    ...silent,
    onJob: () => ({ onEpoch: ({ epoch }) => epoch === 1 && process.emit('SIGINT') }),
  };
  expect(await runComparison(given, folder, last, load)).toBe('stopped');
  const [first, second] = knownJobs(given, folder);
  const weights = checkpointOf(first!.id);
  expect(runFolderOf(folder, second!.id).exists).toBe(false);
  expect(await runComparison(given, folder, silent, load)).toBe('finished');
  expect(checkpointOf(first!.id).equals(weights)).toBe(true);
});

test('all methods of a seed begin with the same weights', async () => {
  const given = plan({ methods: ['xnor-net', 'bi-real'], training: { batch: 32, optimizer: 'sgd', rate: 1e-30 } });
  await runComparison(given, folder, silent, load);
  const [a, b] = knownJobs(given, folder).map(({ id }) =>
    readCheckpoint(runFolderOf(folder, id).file('checkpoint.safetensors')),
  );
  const names = [...a!.tensors.keys()].filter((name) => name.endsWith('conv.weight') && b!.tensors.has(name));
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) expect(a!.tensors.get(name)!.data).toEqual(b!.tensors.get(name)!.data);
});

test('other options under the same label are refused, not mixed; the other runs are done all the same', async () => {
  await runComparison(plan({ methods: ['bnn'] }), folder, silent, load);
  rmSync(runFolderOf(folder, knownJobs(plan({ methods: ['bnn'] }), folder)[0]!.id).file('result.json'));
  const changed = plan({ methods: ['bnn', 'bi-real'], training: { batch: 32, optimizer: 'adam', rate: 0.5 } });
  await expect(runComparison(changed, folder, silent, load)).rejects.toThrow(/other options than the plan's/);
  expect(readResult(runFolderOf(folder, knownJobs(changed, folder)[1]!.id))).not.toBeNull();
});

test('latencies: of the packed networks; as logged without them; of untrained ones of the same layers without a log', async () => {
  const given = plan({ methods: ['bnn'] });
  await runComparison(given, folder, silent, load);
  const [{ id }] = knownJobs(given, folder) as [ReturnType<typeof knownJobs>[0]];
  const latency = async () => (await writeReports(given, folder, load)).rows[0]!.latencyMs!;
  expect(await latency()).toBeGreaterThan(0);
  rmSync(runFolderOf(folder, id).file('model.safetensors'));
  writeFileSync(join(folder, 'latency.json'), JSON.stringify({ machine: 'a PDP-8', milliseconds: { [id]: 1234 } }));
  expect(await latency()).toBe(1234);
  rmSync(join(folder, 'latency.json'));
  const measured = await latency();
  expect(measured).toBeGreaterThan(0);
  expect(measured).toBeLessThan(1234);
});

test('a budget in minutes becomes at least one epoch, kept with the run', async () => {
  const given = plan({ methods: ['bnn'], budget: { minutes: 1e-6 } });
  await runComparison(given, folder, silent, load);
  expect(runFolderOf(folder, knownJobs(given, folder)[0]!.id).readConfig().epochs).toBe(1);
  expect((await writeReports(given, folder, load)).rows[0]!.runs[0]!.metrics).toHaveLength(1);
});

test('no point of the Pareto front is beaten, and every other one is', () => {
  const point = fc.record({ label: fc.constant(''), cost: fc.nat(20), accuracy: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(point), (points) => {
      const front = paretoFront(points);
      for (const p of points) {
        const equalled = front.some((q) => q.cost <= p.cost && q.accuracy >= p.accuracy);
        expect(equalled).toBe(true);
      }
      for (const p of front) {
        const beaten = points.some((q) => q.cost <= p.cost && q.accuracy > p.accuracy);
        expect(beaten).toBe(false);
      }
    }),
  );
});

test('mean and spread of seeds; the figures of the survey', () => {
  expect(meanAndSpread([0.5])).toEqual({ mean: 0.5, spread: null });
  expect(meanAndSpread([1, 2, 3])).toEqual({ mean: 2, spread: 1 });
  expect(publishedFigures('ir-net', 'cifar10')).toBe('90.4 (VGG-Small), 91.5 (ResNet-18), 86.5 (ResNet-20)');
  expect(publishedFigures('bop', 'cifar10')).toBeNull();
  expect(publishedFigures('ir-net', 'mnist')).toBeNull();
});
