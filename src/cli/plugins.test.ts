import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { definePlugin, defineTranslation } from '../index.ts';
import { pluginArgument } from '../train/plugin-records.ts';
import { noisyBars, restoring, tagging, tiny } from '../train/two-tasks.testing.ts';
import { catchOutput } from './catch-output.testing.ts';
import { main } from './program.ts';

let directory = '';
let out = '';
let err = '';
const home = process.cwd();

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'signum-plugins-')));
  process.chdir(directory);
  out = '';
  err = '';
  catchOutput(
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
  vi.spyOn(console, 'warn').mockImplementation((line) => {
    err += `${line}\n`;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});

/** What a command line does, and what it says. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  out = '';
  err = '';
  return { code: await main(['node', 'signum', ...args]), out, err };
}

const source = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** Copies examples/plugin, with the sources in the place of the package. */
function copied(folder: string): void {
  const from = new URL('../../examples/plugin/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(from)) {
    const program = readFileSync(new URL(name, from), 'utf8')
      .replaceAll("'signum-bnn'", source('../index.ts'))
      .replaceAll("'signum-bnn/data'", source('../data/index.ts'));
    writeFileSync(join(folder, name), program);
  }
}

const plain = (file: string, text: string): string => {
  writeFileSync(file, text);
  return file;
};
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const small = ['--model', 'ramped', '--method', 'steep', '--data', 'stripes', '--epochs', '1', '--limit', '200'];

test("train, eval, pack, predict with somebody's method, model, ops and data; without the plugin each says what is missing", async () => {
  copied('mine');
  const plugin = ['--plugin', './mine/index.mjs'];
  expect((await run('train', ...small)).err).toMatch(/unknown model "ramped".*--plugin <its file>/);
  const trained = await run('train', ...small, ...plugin, '--name', 'demo');
  expect(trained.code, trained.err).toBe(0);
  expect(trained.out).toContain('next: signum pack runs/demo --plugin ./mine/index.mjs');
  const config = () => JSON.parse(readFileSync('runs/demo/config.json', 'utf8'));
  expect(config().effective.plugins).toEqual([{ specifier: '../../mine/index.mjs', sha256: sha256('mine/index.mjs') }]);
  expect(readFileSync('runs/demo/report.html', 'utf8')).toContain('--plugin ./mine/index.mjs');

  const missing =
    /run runs\/demo was made with the plugin \.\/mine\/index\.mjs, which was not passed.*add --plugin \.\/mine\/index\.mjs, or list it in SIGNUM_PLUGINS/;
  for (const command of [
    ['eval', 'demo'],
    ['pack', 'demo'],
    ['lint', 'demo'],
    ['robustness', 'demo'],
    ['sensitivity', 'demo'],
    ['train', '--resume', '--name', 'demo', '--epochs', '2'],
    ['train', '--model', 'sfc', '--method', 'bnn', '--data', 'mnist', '--limit', '50', '--init', 'demo'],
  ]) {
    const { code, err } = await run(...command);
    expect([code, err]).toEqual([2, expect.stringMatching(missing)]);
  }

  const accuracy = Number(JSON.parse((await run('eval', 'demo', '--json', ...plugin)).out).top1);
  expect(accuracy).toBeGreaterThan(0.4);
  expect((await run('pack', 'demo', ...plugin)).out).toMatch(/softRamp.*verified on 64 images/s);
  const picture = fileURLToPath(new URL('../../examples/seven.png', import.meta.url));
  const without = await run('predict', 'demo', picture);
  expect([without.code, without.err]).toEqual([1, expect.stringMatching(/op "softRamp".*--plugin <its file>/)]);
  expect((await run('sensitivity', 'demo', '--images', '20', '--precisions', 'float', ...plugin)).out).toMatch(
    /^2 +float/m,
  );
  vi.stubEnv('SIGNUM_PLUGINS', './mine/index.mjs, ');
  expect((await run('predict', 'demo', picture)).out).toMatch(/(lying|standing) \d/);
  const packed = await run('eval', 'demo', '--packed', '--json');
  expect(JSON.parse(packed.out).top1).toBe(accuracy);
  // twice is once
  expect((await run('summary', 'demo', ...plugin)).out).toContain('softRamp');
  expect((await run('lint', 'ramped', '--method', 'steep', '--json')).err).toBe('');
  expect((await run('methods', '--json')).out).toContain('"id":"steep"');
  expect((await run('models', 'ramped', '--method', 'steep')).out).toContain('16x16x1');
  expect((await run('data')).out).toContain('stripes');
  expect(JSON.parse((await run('info', '--json')).out).plugins).toMatchObject([
    { plugin: './mine/index.mjs', methods: ['steep'], ops: ['softRamp'], packedOps: ['softRamp'] },
  ]);

  // a plugin that has moved is known by its bytes; one that has changed is said, and taken
  vi.stubEnv('SIGNUM_PLUGINS', '');
  renameSync('mine', 'moved');
  const moved = await run('eval', 'demo', '--json', '--plugin', './moved/index.mjs');
  expect([moved.code, moved.err]).toEqual([0, '']);
  copied('mine');
  writeFileSync('mine/index.mjs', `${readFileSync('mine/index.mjs', 'utf8')}\n// changed\n`);
  const begun = sha256('moved/index.mjs');
  const resumed = await run('train', '--resume', '--name', 'demo', '--epochs', '2', ...plugin);
  expect(resumed.code).toBe(0);
  const told = resumed.err.match(/plugin .* is not what it was when run runs\/demo began.*/g);
  expect(told).toEqual([expect.stringMatching(new RegExp(`SHA-256 [0-9a-f]{12} now, ${begun.slice(0, 12)} then`))]);
  expect(config().effective.plugins[0].sha256).toBe(begun);
});

test('a comparison and an ensemble train with the values of a plugin, and go on only with it', async () => {
  copied('.');
  const plugin = ['--plugin', './index.mjs'];
  writeFileSync(
    'plan.json',
    JSON.stringify({
      title: 'mine',
      budget: { epochs: 1 },
      models: ['ramped'],
      methods: ['steep', 'bnn'],
      data: ['stripes'],
      seeds: [1],
      training: { limit: 100 },
      analyses: { robustness: ['steep'], images: 20 },
    }),
  );
  expect((await run('compare', 'plan.json')).err).toMatch(/unknown (model|method)/);
  const compared = await run('compare', 'plan.json', '--json', ...plugin);
  expect(compared.code, compared.err).toBe(0);
  const rows = compared.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.map(({ method, failed, packedBytes }) => [method, failed, packedBytes > 1000]).sort()).toEqual([
    ['bnn', null, true],
    ['steep', null, true],
  ]);

  const members = ['ensemble', '--members', '2', ...small, '--name', 'voters'];
  const voted = await run(...members, ...plugin);
  expect([voted.code, voted.out]).toEqual([0, expect.stringMatching(/test accuracy of the vote .*; packed /)]);
  expect((await run('eval', 'runs/voters')).err).toMatch(/member-1 was made with the plugin/);
  expect((await run('eval', 'runs/voters', ...plugin)).out).toMatch(/packed network on stripes/);
});

test("somebody's task on somebody's data: trained, judged by its figure, packed, and read by its head", async () => {
  copied('.');
  const plugin = ['--plugin', './index.mjs'];
  const options = ['--model', 'ramped', '--method', 'steep', '--data', 'spots', '--epochs', '5', '--batch', '20'];
  const moved = ['--flip', '--pad-crop', '1', '--name', 'where'];
  expect((await run('train', ...options, ...plugin)).err).toMatch(/a classifier needs at least two classes/);
  const trained = await run('train', ...options, ...moved, '--task', 'pointing', ...plugin, '--json');
  expect(trained.code, trained.err).toBe(0);
  const { pixels } = JSON.parse(trained.out);
  // always naming the middle misses by 3.8
  expect(pixels).toBeLessThan(3.4);
  const figure = async (...more: string[]) =>
    JSON.parse((await run('eval', 'where', '--json', ...plugin, ...more)).out).pixels;
  expect(await figure()).toBe(pixels);
  expect((await run('pack', 'where', ...plugin)).code).toBe(0);
  expect(await figure('--packed')).toBe(pixels);
  const picture = fileURLToPath(new URL('../../examples/seven.png', import.meta.url));
  expect((await run('predict', 'where', picture, ...plugin)).out).toMatch(/"?x"?: ?-?\d+\.\d+/);
  expect((await run('eval', 'where')).err).toMatch(/was made with the plugin \.\/index\.mjs/);
});

test('what a plugin exports is checked, and an id that exists is refused with both names', async () => {
  const method = `{ id: 'mine', title: '', bits: {}, weight: () => 0, activation: () => 0, structure: {}, defaults: {} }`;
  const refusals: [string, RegExp][] = [
    [
      'export const methods = [];',
      /its default export is undefined; expected an object of lists: export default \{ methods, models, ops, packedOps, tasks, data \}/,
    ],
    ['export default [];', /its default export is a list/],
    ['export default { method: [] };', /it exports "method"; did you mean "methods"\?/],
    ['export default { methods: {} };', /its "methods" is object; expected a list/],
    ['export default { models: [3] };', /models\[0\] is number; expected a model/],
    ['export default { tasks: [{}] };', /tasks\[0\]: its "id" is undefined; a task has a name there/],
    [
      `export default { data: [{ id: 'x', title: 'x' }] };`,
      /data\[0\] \("x"\): its "load" is undefined; in a data set it is a function/,
    ],
    [
      `export default { data: [{ id: 'mnist', title: '', load: () => 0 }] };`,
      /data set "mnist" exists already: Signum has it, .* choose another id/,
    ],
    [`export default { methods: [${method.replace('mine', 'bnn')}] };`, /method "bnn" exists already: Signum has it/],
    [`export default { methods: [${method.replace('mine', 'dorefa-w1a3')}] };`, /method "dorefa-w1a3" exists already/],
    [`export default { methods: [${method}, ${method}] };`, /method "mine" exists already: it stands there twice/],
    [
      `export default { ops: [{ traced: 'relu', effect: 'rectifies', nodes: () => [] }] };`,
      /translation "relu" exists already: Signum has it.*choose another traced/,
    ],
    [
      `export default { models: [{ id: '../mine', title: '', build: () => 0, inputShape: [] }] };`,
      /"\.\.\/mine" is no id; it may hold letters/,
    ],
    ['throw new TypeError("no luck");', /does not load: TypeError: no luck/],
    ['import "not-there";', /does not load: .*not-there/],
  ];
  for (const [i, [text, expected]] of refusals.entries()) {
    const file = plain(`./refused-${i}.mjs`, text);
    const { code, err } = await run('info', '--plugin', file);
    expect([code, err]).toEqual([2, expect.stringMatching(expected)]);
    expect(err).toContain(file);
  }
  // whatever Signum has is of a shape that a plugin's values may have
  const renamed = (kind: string, id: string) => `${kind}.map((value) => ({ ...value, ${id}: 'x-' + value.${id} }))`;
  plain(
    'whole.mjs',
    `import { methods, models, tasks } from ${source('../index.ts')};
import { dataSets } from ${source('../data/index.ts')};
import { packedOps } from ${source('../runtime/ops/table.ts')};
import { translations } from ${source('../pack/ops/table.ts')};
export default { methods: ${renamed('methods', 'id')}, models: ${renamed('models', 'id')}, tasks: ${renamed('tasks', 'id')},
  data: ${renamed('dataSets', 'id')}, packedOps: ${renamed('packedOps', 'op')}, ops: ${renamed('translations', 'traced')} };`,
  );
  const whole = await run('info', '--json', '--plugin', './whole.mjs');
  expect([whole.code, whole.err]).toEqual([0, '']);
  expect(JSON.parse(whole.out).plugins[0].methods.length).toBeGreaterThan(90);
  const [a, b] = ['a', 'b'].map((name) => plain(`./${name}.mjs`, `export default { methods: [${method}] };`));
  expect((await run('info', '--plugin', a!, '--plugin', b!)).err).toMatch(
    /plugin \.\/b\.mjs: method "mine" exists already: \.\/a\.mjs has it/,
  );
});

test('the compiler takes for a plugin what is one, of any task, and nothing else', () => {
  const load = () => noisyBars(4, 2);
  const plugin = definePlugin({
    tasks: [restoring, tagging],
    data: [{ id: 'bars', title: 'bars', load }],
    models: [tiny],
  });
  // @ts-expect-error: a translation is no packed op
  definePlugin({ packedOps: plugin.ops ?? [defineTranslation('mine', 'passes', () => [])] });
  expect(plugin.tasks?.map(({ id }) => id)).toEqual(['restoring', 'tagging']);
});

test('what a command is told to pass is a path to it, in a hidden folder too', () => {
  const record = (specifier: string) => ({ specifier, sha256: '' });
  expect(pluginArgument(record('../../.mine/index.mjs'), 'runs/demo')).toBe('./.mine/index.mjs');
  expect(pluginArgument(record('../../..mine.mjs'), 'runs/demo')).toBe('./..mine.mjs');
  expect(pluginArgument(record('../../../mine.mjs'), 'runs/demo')).toBe('../mine.mjs');
});

test('a plugin is a file by its path, or an installed package by its name', async () => {
  const absent = await run('info', '--plugin', './absent.mjs');
  expect([absent.code, absent.err]).toEqual([
    2,
    expect.stringMatching(/--plugin \.\/absent\.mjs: there is no such file/),
  ]);
  plain('mine.mjs', 'export default { methods: [] };');
  expect((await run('info', '--plugin', 'mine.mjs')).err).toMatch(
    /no package of this name is installed here; for the file write \.\/mine\.mjs/,
  );
  for (const [name, manifest, entry] of [
    ['only-import', { exports: { import: './lib/main.mjs' } }, 'lib/main.mjs'],
    [
      '@scope/with-parts',
      { exports: { './plugin': { types: './no.d.ts', node: { import: './part.mjs' } } } },
      'part.mjs',
    ],
    ['both', { exports: { node: { require: './no.cjs' }, import: './main.mjs' } }, 'main.mjs'],
    ['old', { main: 'index.cjs' }, 'index.cjs'],
  ] as const) {
    const folder = join('node_modules', name);
    mkdirSync(join(folder, entry, '..'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, ...manifest }));
    const data = `{ data: [{ id: 'theirs', title: 'x', load: () => null }] }`;
    plain(join(folder, entry), entry.endsWith('cjs') ? `module.exports = ${data};` : `export default ${data};`);
    const given = name === '@scope/with-parts' ? `${name}/plugin` : name;
    const { out, err } = await run('info', '--json', '--plugin', given);
    expect(err).toBe('');
    expect(JSON.parse(out).plugins).toEqual([{ plugin: given, sha256: sha256(join(folder, entry)), data: ['theirs'] }]);
  }
});
