import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  Lambda,
  loadPackedModel,
  methodNamed,
  Network,
  ops,
  type PackedOp,
  pack,
  Sequential,
  Tensor,
  type Translation,
} from '../index.ts';
import { checkGradients } from '../tensor/gradients.testing.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-guides-'));
});
const before = process.cwd();
afterEach(() => {
  process.chdir(before);
  rmSync(directory, { recursive: true, force: true });
  vi.restoreAllMocks();
});

/** Writes the programs of a guide (```js name) as files that import Signum's sources. @returns their paths */
function programsOf(guide: string, language = 'js'): string[] {
  const text = readFileSync(new URL(`../../docs/${guide}`, import.meta.url), 'utf8');
  const source = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  return [...text.matchAll(new RegExp(`\`\`\`${language} (\\S+)\\n(.*?)\`\`\``, 'gs'))].map(([, name, code]) => {
    const file = join(directory, name!);
    writeFileSync(
      file,
      code!
        .replaceAll("'signum-bnn'", source('../index.ts'))
        .replaceAll("'signum-bnn/runtime'", source('../runtime/index.ts'))
        .replaceAll("'signum-bnn/data'", source('../data/index.ts')),
    );
    return file;
  });
}

test('docs/own-task.md trains as it is printed, and its network finds the spot', async () => {
  const [, , train] = programsOf('own-task.md');
  process.chdir(directory);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(/* @vite-ignore */ pathToFileURL(train!).href);
  const missed = Number(/^missed by ([\d.]+) pixels$/.exec(String(log.mock.calls[0]?.[0]))?.[1]);
  // always naming the middle misses by 3.8
  expect(missed).toBeLessThan(2.5);
  const last = readFileSync('runs/spots/metrics.jsonl', 'utf8').trim().split('\n').at(-1)!;
  expect(JSON.parse(last).testPixels).toBeCloseTo(missed, 1);
  expect(JSON.parse(last)).toMatchObject({ trainLossPosition: expect.any(Number), trainLossGlow: expect.any(Number) });
  expect(readFileSync('runs/spots/report.html', 'utf8')).toContain('class="mark"');
  expect(log.mock.calls[1]?.[0]).toMatch(/^the first spot is at \d+\.\d, \d+\.\d$/);
});

test('docs/own-network.md trains as it is printed', async () => {
  const [, train] = programsOf('own-network.md');
  process.chdir(directory);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(/* @vite-ignore */ pathToFileURL(train!).href);
  expect(Number(/^(\d+) %$/.exec(String(log.mock.calls[0]?.[0]))?.[1])).toBeGreaterThan(90);
  // weights of three layers, a bias, two batch-norms
  expect(log.mock.calls[1]).toEqual([8, 'parameters']);
});

test('docs/own-op.md: the op packs, and its gradient is that of the finite differences', async () => {
  const [op, packed, translation] = programsOf('own-op.md', 'ts');
  const from = (file: string | undefined) => import(/* @vite-ignore */ pathToFileURL(file!).href);
  const { absPower } = (await from(op)) as { absPower: (x: Tensor, power: number) => Tensor };
  const { packedPower } = (await from(packed)) as { packedPower: PackedOp };
  const { packAbsPower } = (await from(translation)) as { packAbsPower: Translation };
  const x = new Tensor(Float32Array.of(-1.5, -0.25, 0.5, 2), [4]);
  x.requiresGrad = true;
  checkGradients((value) => absPower(value, 1.5), [x]);
  const network = new Network(
    { model: 'mine', method: 'float', inputShape: [2, 2, 2], classes: 2, width: 1, seed: 1 },
    methodNamed('float'),
    () => new Sequential([new Lambda((image) => absPower(image, 1.5)), new Lambda(ops.globalAvgPool)]),
  );
  const images = new Tensor(Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8), [1, 2, 2, 2]);
  const { bytes } = pack(network, images, { classes: ['a', 'b'], mean: [0, 0], std: [1, 1], ops: [packAbsPower] });
  const [a, b] = loadPackedModel(bytes, { ops: [packedPower] }).run(images.data);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value ** 1.5, 0) / 4;
  expect(a).toBeCloseTo(mean([1, 3, 5, 7]), 5);
  expect(b).toBeCloseTo(mean([2, 4, 6, 8]), 5);
});

test('docs/own-data.md is a data set that its own check takes', async () => {
  const [file] = programsOf('own-data.md');
  const { data } = (await import(/* @vite-ignore */ pathToFileURL(file!).href)) as {
    data: { train: { count: number } };
  };
  expect(data.train.count).toBe(2);
});
