import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { judgePacked, packedImages, packForData } from '../analysis/packed-evaluation.ts';
import { catchOutput } from '../cli/catch-output.testing.ts';
import { main } from '../cli/program.ts';
import { Batches } from '../data/batches.ts';
import type { DataSet, PixelSplit } from '../data/dataset.ts';
import { fitToModel } from '../data/fit-model.ts';
import type { ResizeRule } from '../runtime/graph.ts';
import { load } from '../runtime/load.ts';
import { answerTo, type TaskDecoder } from '../runtime/tasks/decoder.ts';
import { figuresOf } from '../tasks/figures.ts';
import type { AnyTask } from '../tasks/table.ts';
import { Tensor } from '../tensor/tensor.ts';
import { answersOf } from './evaluate.ts';
import { judgeTrained } from './judge.ts';
import { loadTrained } from './load-network.ts';
import { trainRun } from './run.ts';
import {
  linesData,
  noisyBars,
  restoring,
  restoringDecoder,
  side,
  tagging,
  taggingDecoder,
  tiny,
} from './two-tasks.testing.ts';

let directory: string;
const home = process.cwd();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-packed-tasks-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(home);
  rmSync(directory, { recursive: true });
});

interface Trial {
  readonly task: AnyTask;
  readonly data: DataSet<PixelSplit<object>>;
  readonly decoder: TaskDecoder;
  readonly head: { readonly id: string; readonly settings: object };
  readonly outputs: readonly string[];
}
const trials: Trial[] = [
  {
    task: restoring as unknown as AnyTask,
    data: noisyBars(),
    decoder: restoringDecoder,
    head: { id: 'painter', settings: { kernel: 1 } },
    outputs: ['picture', 'small'],
  },
  {
    task: tagging as unknown as AnyTask,
    data: linesData(),
    decoder: taggingDecoder,
    head: { id: 'tagger', settings: {} },
    outputs: ['scores'],
  },
];
const options = { model: 'tiny', method: 'bi-real', data: 'own', epochs: 1, batch: 16, padCrop: 1, flip: true };

describe.each(trials)('$task.id by its name', ({ task, data, decoder, head, outputs }) => {
  const house = { tasks: [task], models: [tiny] };
  const trained = async () => {
    const asked = { ...options, task: task.id, headSettings: head.settings as Record<string, unknown> };
    const { evaluation } = await trainRun(join(directory, 'run'), asked, data, house);
    const { network, checkpoint } = loadTrained(join(directory, 'run'), undefined, true, house);
    network.setTraining(false);
    return { network, checkpoint, evaluation };
  };

  test('is trained, stored with its head and settings, loaded, judged, packed and decoded alike', async () => {
    const { network, checkpoint, evaluation } = await trained();
    const { effective } = JSON.parse(readFileSync(join(directory, 'run', 'config.json'), 'utf8'));
    expect(effective.task).toEqual({ id: task.id, head });
    expect(checkpoint).toMatchObject({ task: task.id, network: { head } });
    expect(await judgeTrained(network, task, data)).toEqual(evaluation);

    const { bytes, model } = await packForData(network, data, { task });
    const { graph, proof } = model;
    expect(graph.outputs.map(({ name }) => name)).toEqual(outputs);
    expect(graph).toMatchObject({ task: { id: task.id, settings: { classes: data.classes } }, head });
    expect(proof).toMatchObject({ on: [{ equal: 'values' }] });
    const packed = await judgePacked(model, task, data);
    expect(figuresOf(task.figures, packed)).toEqual(figuresOf(task.figures, evaluation!));

    // images that packing has not seen
    const { images, count } = await new Batches(data, data.train, 20, []).plain(1);
    const ours = model.runAll({ image: images });
    const theirs = answersOf(network, new Tensor(images, [count, ...data.shape]), task.heads[0]);
    for (const name of outputs) expect([name, ours[name]]).toEqual([name, theirs[name]]);

    const pixels = data.train.pixels.subarray(20 * side ** 2, 40 * side ** 2);
    const place = { shape: data.shape, classes: data.classes, settings: head.settings as Record<string, unknown> };
    const answers = Array.from({ length: count }, (_, i) =>
      task.heads[0].decode(answerTo(theirs, i, count), place, {}),
    );
    const loaded = await load(bytes, { worker: false, tasks: [decoder] });
    expect(await loaded.predict({ data: pixels, shape: [count, ...data.shape] })).toEqual(answers);
    loaded.dispose();
    const bare = await load(bytes, { worker: false });
    await expect(bare.predict({ data: pixels, shape: [count, ...data.shape] })).rejects.toThrow(
      `this network is for "${task.id}"; give its decoder to load as { tasks: [...] }`,
    );
    expect(() => model.predict(pixels)).toThrow(`this network is for "${task.id}", not classification`);
    bare.dispose();
  });

  test('pictures are judged by the rule of the file', async () => {
    const { network } = await trained();
    const resize = { fit: 'fill', filter: 'nearest', background: [1, 2, 3] } satisfies ResizeRule;
    const { model } = await packForData(network, { ...data, resize }, { task });
    expect(model.graph.inputs[0]!.picture!.resize).toEqual(resize);
    expect(fitToModel(data, packedImages(model), 'evaluate', task.truth).data.resize).toEqual(resize);
  });

  test('a file is not packed, judged or loaded as of another task', async () => {
    const { network } = await trained();
    await expect(packForData(network, data)).rejects.toThrow(
      `the network ends with the head "${head.id}", which task "classification" does not have`,
    );
    expect(() => loadTrained(join(directory, 'run'), undefined, true, { models: [tiny] })).toThrow(
      `unknown task "${task.id}"`,
    );
    const { model } = await packForData(network, data, { task });
    const other = trials.find((trial) => trial.task !== task)!;
    expect(() => judgePacked(model, other.task, other.data)).toThrow(
      `the network is of task "${task.id}", not of "${other.task.id}"`,
    );
  });
});

test('settings and heads that there are not are refused by name, before anything is written', async () => {
  const [{ task, data }] = trials as [Trial];
  const run = (more: object) =>
    trainRun(join(directory, 'none'), { ...options, ...more }, data, { tasks: [task], models: [tiny] });
  await expect(run({ task: 'restorin' })).rejects.toThrow('unknown task "restorin"; did you mean "restoring"?');
  await expect(run({ task: task.id, taskHead: 'paint' })).rejects.toThrow('task "restoring" has no head "paint"');
  await expect(run({ task: task.id, headSettings: { size: 3 } })).rejects.toThrow('no setting "size"; it has kernel');
  await expect(run({ task: task.id, headSettings: { kernel: '3' } })).rejects.toThrow('expected a number such as 3');
});

const source = JSON.stringify(fileURLToPath(new URL('./two-tasks.testing.ts', import.meta.url)));

test('commands take both by --task: train, resume, eval, pack, eval --packed, predict, compare', async () => {
  process.chdir(directory);
  writeFileSync(
    'tasks.mjs',
    `import { linesData, noisyBars, restoring, tagging, tiny } from ${source};
    const data = [['bars', noisyBars], ['lines', linesData]].map(([id, make]) => ({ id, title: id, load: async () => make() }));
    export default { tasks: [restoring, tagging], models: [tiny], data };`,
  );
  let [out, err] = ['', ''];
  catchOutput(
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
  const run = async (...args: string[]) => {
    [out, err] = ['', ''];
    expect([await main(['node', 'signum', ...args, '--plugin', './tasks.mjs']), err]).toEqual([0, expect.anything()]);
    return out;
  };
  const small = ['--model', 'tiny', '--method', 'bi-real', '--epochs', '1', '--batch', '16'];
  const trained = await run(
    'train',
    ...small,
    '--data',
    'bars',
    '--task',
    'restoring',
    '--name',
    'bars',
    '--keep',
    'best',
  );
  expect(trained).toMatch(
    /^test squared error 0\.\d+; report: .*\nbest: epoch 1, chosen on 96 training images.*: loss/,
  );
  expect(err).toMatch(/epoch 1\/1 .* test 0\.\d+ /);
  const resumed = JSON.parse(await run('train', '--resume', '--name', 'bars', '--epochs', '2', '--json'));
  const evaluated = JSON.parse(await run('eval', 'bars', '--json'));
  expect(evaluated).toMatchObject({ task: 'restoring', error: resumed.error, psnr: expect.any(Number), count: 32 });
  expect(await run('eval', 'bars')).toMatch(/trained network on bars, 32 images: squared error 0\.\d+, PSNR, dB \d/);
  await run('pack', 'bars');
  expect(JSON.parse(await run('eval', 'bars', '--packed', '--json'))).toMatchObject({ error: evaluated.error });
  expect(readFileSync('runs/bars/report.html', 'utf8')).toContain('packed squared error');
  await sharp(noisyBars().test.pixels.slice(0, side ** 2), { raw: { width: side, height: side, channels: 1 } })
    .png()
    .toFile('one.png');
  const { answer } = JSON.parse(await run('predict', 'bars', 'one.png', '--json'));
  expect(answer).toMatchObject({ shape: [side, side, 1], pixels: expect.any(Array) });

  await run('train', ...small, '--data', 'lines', '--task', 'tagging', '--name', 'lines');
  await run('pack', 'lines');
  expect(await run('eval', 'lines')).toMatch(/32 images: right answers \d+\.\d\d %, all right/);
  expect(await run('bench', 'lines', '--repeats', '1')).toMatch(/float/);
  expect(await run('predict', 'lines', 'one.png')).toMatch(/^one\.png: \[("across"|"down"|"aslant"|,)*\]\n$/);

  const plan = { title: 'two', budget: { epochs: 1 }, models: ['tiny'], methods: ['bnn', 'bi-real'], data: ['bars'] };
  writeFileSync('plan.json', JSON.stringify({ ...plan, seeds: [1], training: { task: 'restoring', batch: 16 } }));
  const ranking = await run('compare', 'plan.json');
  expect(ranking).toContain('squared error');
  expect(ranking).not.toContain('accuracy');
  const rows = (await run('compare', 'plan.json', '--report', '--json'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // the lower the better
  expect(rows[0].accuracy.mean).toBeLessThan(rows[1].accuracy.mean);
  expect(readFileSync('runs/plan/report.md', 'utf8')).toMatch(/\| squared error \|/);
  expect(readFileSync('runs/plan/report.html', 'utf8')).toContain('Down and to the left is better');
  // what is for classes says so
  for (const command of ['robustness', 'sensitivity'])
    expect([await main(['node', 'signum', command, 'bars', '--plugin', './tasks.mjs']), err]).toEqual([
      expect.any(Number),
      expect.stringContaining('is of task "restoring": this is for networks that tell classes'),
    ]);
});
