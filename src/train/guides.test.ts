import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

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
function programsOf(guide: string): string[] {
  const text = readFileSync(new URL(`../../docs/${guide}`, import.meta.url), 'utf8');
  const source = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  return [...text.matchAll(/```js (\S+)\n(.*?)```/gs)].map(([, name, code]) => {
    const file = join(directory, name!);
    writeFileSync(
      file,
      code!
        .replaceAll("'signum-bnn'", source('../index.ts'))
        .replaceAll("'signum-bnn/data'", source('../data/index.ts')),
    );
    return file;
  });
}

test('docs/own-task.md trains as it is printed, and its network finds the spot', async () => {
  const [, train] = programsOf('own-task.md');
  process.chdir(directory);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(/* @vite-ignore */ pathToFileURL(train!).href);
  const missed = Number(/^missed by ([\d.]+) pixels$/.exec(String(log.mock.calls[0]?.[0]))?.[1]);
  // always naming the middle misses by 3.8
  expect(missed).toBeLessThan(2.5);
  const last = readFileSync('runs/spots/metrics.jsonl', 'utf8').trim().split('\n').at(-1)!;
  expect(JSON.parse(last).testPixels).toBeCloseTo(missed, 1);
  expect(readFileSync('runs/spots/report.html', 'utf8')).toContain('class="mark"');
});

test('docs/own-data.md is a data set that its own check takes', async () => {
  const [file] = programsOf('own-data.md');
  const { data } = (await import(/* @vite-ignore */ pathToFileURL(file!).href)) as {
    data: { train: { count: number } };
  };
  expect(data.train.count).toBe(2);
});
