import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { ZooNetwork } from '../../packages/zoo/index.d.ts';
import { dataSets } from '../data/table.ts';
import { methodNamed } from '../methods/table.ts';
import { modelNamed } from '../models/table.ts';
import { loggedRuns } from '../survey/measured.ts';
import { parseConfig } from '../train/config.ts';
import { RunFolder } from '../train/run-folder.ts';
import { recipesMarkdown } from './markdown.ts';
import { recipeOptions } from './options.ts';
import { recipeNamed, recipes } from './table.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const zoo: readonly ZooNetwork[] = JSON.parse(readFileSync(join(root, 'packages/zoo/index.json'), 'utf8'));

test.each(recipes)('$id is a whole training of things that exist', ({ id, training, published, source }) => {
  const method = methodNamed(training.method);
  expect(modelNamed(training.model).id).toBe(training.model);
  expect(dataSets.map((data) => data.id)).toContain(training.data);
  const { epochs, batch } = method.defaults;
  expect(parseConfig({ epochs, batch, ...training })).toMatchObject(training);
  expect(published === undefined || (published > 0.5 && published < 1)).toBe(true);
  expect(source).not.toBe('');
  // the data of its run's name is that of the training
  expect(id.endsWith(`-${training.data}`)).toBe(true);
  for (const run of [training.init, training.teacher])
    if (run !== undefined)
      expect(recipeNamed(run).training).toMatchObject({ model: training.model, data: training.data });
});

test('no recipe stands there twice, and what is measured is what its log says, on the published pixels', () => {
  expect(new Set(recipes.map(({ id }) => id)).size).toBe(recipes.length);
  for (const { id, training, measured } of recipes) {
    if (!measured) continue;
    const [log] = loggedRuns(join(root, measured.log, '..')).filter(
      ({ folder }) => folder === join(root, measured.log),
    );
    expect([id, log?.accuracy]).toEqual([id, measured.accuracy]);
    // what the first and the last layer were when a log did not say it
    const logged = { firstLast: 'float', ...new RunFolder(join(root, measured.log)).readConfig() };
    expect(logged).toMatchObject(training);
    // logs that were begun before they told it: the zoo's network was evaluated on images whose digest was looked at
    const packed = zoo.find((network) => network.id === id && network.accuracy === measured.accuracy);
    if (training.data === 'cifar10') expect(log!.originalPixels || packed?.originalPixels).toBe(true);
  }
});

test('docs/recipes.md holds the table (signum recipes --markdown)', () => {
  expect(readFileSync(join(root, 'docs', 'recipes.md'), 'utf8')).toContain(recipesMarkdown());
});

test('options override a recipe; a start that is not trained yet is named, with the command', () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'signum-recipes-'));
  process.chdir(folder);
  try {
    expect(recipeOptions('resnet20-recu-cifar10', { epochs: 7, flip: false })).toEqual({
      model: 'resnet20',
      method: 'recu',
      data: 'cifar10',
      padCrop: 4,
      flip: false,
      epochs: 7,
      batch: methodNamed('recu').defaults.batch,
    });
    const mine = { ...recipeNamed('resnet20-recu-cifar10'), id: 'mine' };
    expect(recipeOptions(mine)).toEqual(recipeOptions('resnet20-recu-cifar10'));
    expect(() => recipeOptions('resnet20-reku-cifar10')).toThrow(/did you mean "resnet20-recu-cifar10"/);
    expect(() => recipeOptions('resnet20-bwn-cifar10')).toThrow(
      /starts from a run of resnet20-float-cifar10, and there is none at runs\/resnet20-float-cifar10: `signum train --recipe resnet20-float-cifar10` first, or give .* --init <run>/,
    );
    expect(recipeOptions('resnet20-bwn-cifar10', { init: 'runs/mine' }).init).toBe('runs/mine');
    mkdirSync('runs/resnet20-float-cifar10', { recursive: true });
    writeFileSync('runs/resnet20-float-cifar10/checkpoint.safetensors', '');
    expect(recipeOptions('resnet20-bwn-cifar10').init).toBe('resnet20-float-cifar10');
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});
