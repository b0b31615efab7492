import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Random } from '../core/random.ts';
import { readCheckpoint } from '../train/checkpoint.ts';
import { catchOutput } from './catch-output.testing.ts';
import { main } from './program.ts';

let directory = '';
let [out, err] = ['', ''];
const home = process.cwd();
const run = async (...args: string[]) => {
  [out, err] = ['', ''];
  return main(['node', 'signum', ...args]);
};

const colours: Record<string, readonly number[]> = { cat: [200, 40, 40], dog: [40, 200, 40], owl: [40, 40, 200] };
const random = new Random(1);
async function put(file: string, colour: readonly number[] = [120, 120, 120], side = 20): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const pixels = new Uint8Array(side * side * 3).map((_, i) => colour[i % 3]! + random.integer(50));
  writeFileSync(
    file,
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer(),
  );
}
/** `photos` and the like: pictures of one colour a class, below `train` and `test`. */
async function photos(folder: string, names = Object.keys(colours)): Promise<void> {
  for (const part of ['train', 'test'])
    for (const name of names)
      for (let i = 0; i < 8; i++) await put(join(folder, part, name, `${i}.png`), colours[name]);
}
const training = [
  'train',
  '--model',
  'sfc',
  '--width',
  '0.25',
  '--method',
  'float',
  '--optimizer',
  'adam',
  '--batch',
  '8',
  '--epochs',
  '12',
];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signum-cli-data-'));
  process.chdir(directory);
  await photos('photos');
});
afterAll(() => {
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  catchOutput(
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
});
afterEach(() => vi.restoreAllMocks());

test('a folder of pictures is trained on, packed and judged; what it holds is one line', async () => {
  expect(await run(...training, '--data', 'photos', '--name', 'three', '--json')).toBe(0);
  expect(err).toContain('photos: 48 images, 3 classes\n');
  expect(JSON.parse(out).accuracy).toBeGreaterThan(0.9);
  expect(await run('pack', 'three', '--json')).toBe(0);
  expect(await run('eval', 'runs/three/model.safetensors', '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ count: 24, classes: ['cat', 'dog', 'owl'] });
  expect(JSON.parse(out).top1).toBeGreaterThan(0.9);
});

describe.each([
  ['trained', [] as string[]],
  ['packed', ['--packed']],
])('the %s network', (_kind, packed) => {
  test('on some of its classes is judged on these alone, with the labels of its own order', async () => {
    await photos('two', ['dog', 'owl']);
    expect(await run('eval', 'three', ...packed, '--data', 'two', '--json')).toBe(0);
    const { top1, count, confusion } = JSON.parse(out);
    expect([count, confusion[0]]).toEqual([16, [0, 0, 0]]);
    expect(top1).toBeGreaterThan(0.9);
    expect(err).toContain("two has 2 of the model's 3 classes (dog, owl): it is judged on these");
    expect(await run('eval', 'three', ...packed, '--data', 'two')).toBe(0);
    expect(out).not.toMatch(/^cat /m);
  });
  test('with broken pictures among its images is refused, or judged without them', async () => {
    cpSync('photos', 'chipped', { recursive: true });
    writeFileSync('chipped/test/owl/3.png', '');
    expect(await run('eval', 'three', ...packed, '--data', 'chipped')).toBe(1);
    expect(err).toMatch(
      /1 of 48 pictures cannot be read.*\n {2}test\/owl\/3\.png: the file is empty\n.*--allow-broken 0\.021/,
    );
    expect(await run('eval', 'three', ...packed, '--data', 'chipped', '--allow-broken', '0.021', '--json')).toBe(0);
    expect(JSON.parse(out).count).toBe(23);
  });
  test('on a class that it does not know says which', async () => {
    await photos('fox', ['cat', 'fox']);
    expect(await run('eval', 'three', ...packed, '--data', 'fox')).toBe(1);
    expect(err).toMatch(/the model does not know fox of fox; it tells 3 classes apart: cat, dog, owl\. Give data/);
  });
  test('on images of another size is refused; a folder without a size is decoded at its own', async () => {
    expect(await run('eval', 'three', ...packed, '--data', 'photos@64')).toBe(1);
    expect(err).toMatch(/takes images of 32x32x3, photos has 64x64x3; give photos@32/);
    expect(await run('eval', 'three', ...packed, '--data', 'mnist')).toBe(1);
    expect(err).toMatch(/takes images of 32x32x3, mnist has 28x28x1/);
  });
  test('sees images normalised as in its training, whatever the folder’s own statistics are', async () => {
    cpSync('photos', 'darker', { recursive: true });
    for (const name of Object.keys(colours))
      for (let i = 0; i < 40; i++) await put(`darker/train/${name}/more${i}.png`, [5, 5, 5]);
    expect(await run('eval', 'three', ...packed, '--data', 'photos', '--json')).toBe(0);
    const { loss } = JSON.parse(out);
    expect(await run('eval', 'three', ...packed, '--data', 'darker', '--json')).toBe(0);
    expect(JSON.parse(out).loss).toBeCloseTo(loss, 12);
  });
});

test('every command that shows a run its images shows them as the run saw them', async () => {
  const classes = (names: string[]) => {
    const file = 'runs/other/config.json';
    cpSync('runs/three', 'runs/other', { recursive: true });
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), data: names.join('-') }));
  };
  await photos('cat-fox', ['cat', 'fox']);
  classes(['cat', 'fox']);
  for (const command of [['eval'], ['pack'], ['robustness'], ['sensitivity'], ['sparsity'], ['views']]) {
    expect(await run(...command, 'other')).toBe(1);
    expect(err).toMatch(/the model does not know fox/);
  }
});

test('a resumed run refuses images that lost a class, or gained one', async () => {
  await photos('kept');
  expect(await run(...training, '--data', 'kept', '--name', 'resumed')).toBe(0);
  const { mean } = readCheckpoint('runs/resumed/checkpoint.safetensors');
  renameSync('kept/train/owl', 'owl-train');
  renameSync('kept/test/owl', 'owl-test');
  expect(await run('train', '--resume', '--name', 'resumed')).toBe(1);
  expect(err).toMatch(/kept no longer has owl, which the model is trained on/);
  await photos('kept', ['fox']);
  expect(await run('train', '--resume', '--name', 'resumed')).toBe(1);
  expect(err).toMatch(/does not know fox of kept/);
  for (const part of ['train', 'test']) {
    rmSync(`kept/${part}/fox`, { recursive: true });
    renameSync(`owl-${part}`, `kept/${part}/owl`);
  }
  for (let i = 0; i < 40; i++) await put(`kept/train/cat/white${i}.png`, [200, 200, 200]);
  expect(await run('train', '--resume', '--name', 'resumed')).toBe(0);
  expect(readCheckpoint('runs/resumed/checkpoint.safetensors').mean).toEqual(mean);
});

test('a path that exists as given is meant, before runs/ and before @side', async () => {
  cpSync('runs/three/model.safetensors', 'model.safetensors');
  expect(await run('predict', 'model.safetensors', 'photos/test/dog/1.png', '--top', '1')).toBe(0);
  expect(out).toMatch(/^photos\/test\/dog\/1\.png: dog [\d.]+ %\n$/);
  cpSync('runs/three', 'three', { recursive: true });
  rmSync('three/model.safetensors');
  expect(await run('predict', 'three', 'photos/test/dog/1.png')).toBe(2);
  expect(err).toMatch(
    /^three is taken as it is given; for the run, give runs\/three\nerror: three holds no model\.safetensors/,
  );
  rmSync('three', { recursive: true });
  cpSync('photos', 'photos@64', { recursive: true });
  expect(await run('eval', 'three', '--data', 'photos@64')).toBe(0);
  rmSync('photos@64', { recursive: true });
});

test('predict takes files and folders, goes on after bad ones, and its exit code says that some failed', async () => {
  await put('mixed/a/dog.png', colours['dog']);
  await put('mixed/cat.png', colours['cat']);
  writeFileSync('mixed/bad.png', 'no picture');
  writeFileSync('mixed/cut.png', readFileSync('mixed/cat.png').subarray(0, 60));
  writeFileSync('mixed/._cat.png', 'x');
  expect(await run('predict', 'three', 'gone.png', 'mixed', 'photos/test/owl/1.png', '--top', '1', '--json')).toBe(1);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const label = (file: string) => lines.find((line) => line.file === file)?.predictions?.[0].label;
  expect([label('mixed/a/dog.png'), label('mixed/cat.png'), label('photos/test/owl/1.png')]).toEqual([
    'dog',
    'cat',
    'owl',
  ]);
  const errors = Object.fromEntries(lines.filter(({ error }) => error).map(({ file, error }) => [file, error]));
  expect(Object.keys(errors).sort()).toEqual(['gone.png', 'mixed/bad.png', 'mixed/cut.png']);
  expect(errors['gone.png']).toBe('it does not exist');
  expect(err).toMatch(/mixed: 3 images, 1 skipped \(mixed\/\._cat\.png\)\nerror: 3 of 6 pictures could not be read/);
  mkdirSync('empty');
  expect(await run('predict', 'three', 'empty')).toBe(1);
  expect(err).toMatch(/empty: not read: no pictures in this folder/);
  expect(await run('predict', 'three', 'mixed', '--top', '0')).toBe(2);
});

const faults = fileURLToPath(new URL('../../../shared/faults/class-count', import.meta.url));
test.runIf(existsSync(faults))(
  'three classes judged on two of them: no row of another stride, and it is said',
  async () => {
    for (const target of [`${faults}`, `${faults}/three-classes.model.safetensors`]) {
      expect(await run('eval', target, '--data', `${faults}/two`, '--json')).toBe(0);
      const { count, classes, confusion } = JSON.parse(out);
      expect([count, classes.length, confusion.length, confusion[0].length]).toEqual([16, 3, 3, 3]);
      expect(err).toMatch(/2 of the model's 3 classes/);
    }
  },
);
