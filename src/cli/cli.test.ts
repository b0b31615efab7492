import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadMnist } from '../data/mnist.ts';
import { trainRun } from '../train/run.ts';
import { catchOutput } from './catch-output.testing.ts';
import { main } from './program.ts';

let directory = '';
let out = '';
let err = '';
const home = process.cwd();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-cli-'));
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
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});

const run = (...args: string[]) => main(['node', 'signum', ...args]);
const smallTraining = [
  'train',
  '--model',
  'sfc',
  '--method',
  'bnn',
  '--data',
  'mnist',
  '--width',
  '0.25',
  '--epochs',
  '1',
  '--batch',
  '25',
  '--limit',
  '1000',
  '--optimizer',
  'adam',
];

test('a recipe is trained under its name; what is typed beside it overrides its own', async () => {
  expect(await run('train', '--recipe', 'lfc-bnn-mnist', '--width', '0.1', '--epochs', '1', '--limit', '300')).toBe(0);
  const config = JSON.parse(readFileSync('runs/lfc-bnn-mnist/config.json', 'utf8'));
  expect(config).toMatchObject({ model: 'lfc', data: 'mnist', rate: 0.001, padCrop: 1, width: 0.1, epochs: 1 });
  expect(await run('train', '--recipe', 'lfc-bnn-mnist', '--resume', '--epochs', '2')).toBe(0);
  expect(await run('train', '--recipe', 'lfc-bn-mnist')).toBe(2);
  expect(err).toMatch(/unknown recipe "lfc-bn-mnist"; did you mean "lfc-bnn-mnist"/);
});

test('train, eval, pack, predict, summary: the whole way', async () => {
  expect(await run(...smallTraining, '--name', 'demo', '--json')).toBe(0);
  const { accuracy } = JSON.parse(out);
  expect(accuracy).toBeGreaterThan(0.2);
  const report = () => readFileSync('runs/demo/report.html', 'utf8');
  expect(report()).toContain('<b>none yet</b><span>packed network</span>');
  expect(report().match(/<figure><img src="data:image\/png;base64,/g)?.length).toBe(24);

  expect(await run('pack', 'demo', '--json')).toBe(0);
  const { packedBytes } = JSON.parse(out.trim().split('\n').at(-1)!);
  expect(report()).toContain(`<b>${(packedBytes / 1000).toFixed(1)} kB</b>`);
  expect(report()).toContain('<b>not measured</b><span>packed accuracy</span>');
  out = '';
  expect(await run('eval', 'demo', '--json')).toBe(0);
  expect(await run('eval', 'runs/demo/model.safetensors', '--data', 'mnist', '--json')).toBe(0);
  const [trained, packed] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(packed.confusion).toEqual(trained.confusion);
  expect(packed.mistakes).toEqual(trained.mistakes);
  expect(await run('eval', 'demo', '--packed')).toBe(0);
  expect(report()).toContain(`<b>${(100 * trained.top1).toFixed(2)} %</b><span>packed accuracy</span>`);

  writeFileSync(
    'digit.png',
    await sharp({ create: { width: 28, height: 28, channels: 3, background: '#000' } })
      .png()
      .toBuffer(),
  );
  out = '';
  expect(await run('predict', 'demo', 'digit.png', '--top', '2')).toBe(0);
  expect(out).toMatch(/^digit\.png: \d [\d.]+ %, \d [\d.]+ %\n$/);
  out = '';
  expect(await run('summary', 'demo')).toBe(0);
  expect(out).toMatch(/^1\.dense .* xnor-popcount \+ threshold/m);
  out = '';
  expect(await run('bench', 'demo', '--repeats', '2', '--json')).toBe(0);
  const bench = JSON.parse(out);
  expect(bench.float.fileBytes).toBeGreaterThan(4 * bench.packed.fileBytes);
  expect(bench.binaryLayerBytes.float).toBeGreaterThan(8 * bench.binaryLayerBytes.packed);
  for (const { milliseconds, residentBytes, layers } of [bench.float, bench.packed]) {
    expect(milliseconds).toBeGreaterThan(0);
    expect(residentBytes).toBeGreaterThan(bench.nodeBytes);
    expect(layers).toHaveLength(5);
  }
  out = '';
  expect(await run('bench', 'demo', '--repeats', '2')).toBe(0);
  expect(out).toMatch(/resident memory, running alone .* MB .* MB/);
});

test.each([
  [['tran'], 2, /did you mean train/i],
  [['train', '--epocs', '3'], 2, /did you mean --epochs/i],
  [['train', '--epochs', 'three'], 2, /expected a whole number, got "three"/],
  [['train', '--method', 'irnet', '--model', 'resnet20'], 2, /unknown method "irnet"; did you mean "ir-net"/],
  [['train', '--model', 'resnet2', '--method', 'bnn'], 2, /unknown model "resnet2"; did you mean "resnet20"/],
  [['train', '--resume', '--name', 'nothing'], 2, /no run at runs\/nothing/],
  [['train', '--name', '.'], 2, /--name "\." names no folder of its own.*--name mine/],
  [['train', '--name', '..', '--resume'], 2, /--name "\.\." names no folder/],
  [['train', '--name', 'runs/x/../'], 2, /names no folder of its own/],
  [['ensemble', '--name', '.'], 2, /names no folder of its own/],
  [['pack', 'nothing'], 2, /does not exist/],
  [['predict', 'model.bin', 'x.png'], 1, /not a safetensors file/],
  [['summary', 'model.bin'], 1, /not a safetensors file/],
] as const)('%j ends with exit code %d and a clear message', async (args, code, message) => {
  writeFileSync('model.bin', 'hello world, this is not a model');
  const resolved = args.map((arg) => (arg === 'model.bin' ? './model.bin' : arg));
  expect(await run(...resolved)).toBe(code);
  expect(err).toMatch(message);
  expect(err).not.toMatch(/\n\s+at /);
});

test('a program makes a run that every command takes', async () => {
  const options = {
    model: 'sfc',
    method: 'bnn',
    data: 'mnist',
    width: 0.25,
    epochs: 1,
    batch: 25,
    limit: 500,
  } as const;
  const { folder, accuracy, finished } = await trainRun('runs/mine', options, loadMnist());
  expect({ finished, epochs: folder.readMetrics().length }).toEqual({ finished: true, epochs: 1 });
  expect(await run('eval', 'mine', '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ target: 'runs/mine', count: 10_000 });
  expect(await run('pack', 'mine')).toBe(0);
  // finished: continuing it only evaluates it again
  expect(await run('train', '--resume', '--name', 'mine', '--json')).toBe(0);
  expect(JSON.parse(out.trim().split('\n').at(-1)!)).toMatchObject({ finished: true, accuracy });
  for (const file of ['config.json', 'checkpoint.safetensors', 'report.html'])
    expect(existsSync(folder.file(file))).toBe(true);
  expect(existsSync(folder.file('lock'))).toBe(false);
  await expect(trainRun('runs/mine', options, loadMnist())).rejects.toThrow(/runs\/mine exists; .*existing: 'resume'/);
});

test('a run is not overwritten by accident', async () => {
  expect(await run(...smallTraining, '--name', 'demo')).toBe(0);
  expect(await run(...smallTraining, '--name', 'demo')).toBe(2);
  expect(err).toMatch(/runs\/demo exists; continue it with --resume/);
});

test('lists are complete and machine-readable', async () => {
  expect(await run('methods', '--json')).toBe(0);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toContain('ir-net');
  for (const command of ['models', 'data', 'methods', 'recipes']) expect(await run(command)).toBe(0);
});

test('lint of a config sees its options: with all layers in float, no binary layer is left to warn of', async () => {
  const config = { model: 'resnet20', method: 'bnn', data: 'cifar10', epochs: 1, batch: 64, width: 0.25 };
  writeFileSync('binary.json', JSON.stringify(config));
  writeFileSync('float.json', JSON.stringify({ ...config, policy: { '*': 'float' } }));
  await run('lint', 'binary.json');
  expect(out).toContain('odd-channels (1.first)');
  out = '';
  await run('lint', 'float.json');
  expect(out).not.toContain('odd-channels');
});

test('info and --version tell what computes here', async () => {
  expect(await run('info', '--json')).toBe(0);
  const told = JSON.parse(out);
  expect(Object.keys(told)).toEqual(['version', 'backend', 'instructionSet', 'threads', 'addon']);
  expect(Object.keys(told.addon)).toEqual(['source', 'reason']);
  expect(told.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(['prebuilt', 'built', null]).toContain(told.addon.source);
  out = '';
  expect(await run('--version')).toBe(0);
  for (const word of [told.version, told.backend, told.instructionSet, 'threads', 'why no faster'])
    expect(out).toContain(word);
});

test('the help names every command, and each command its own options', async () => {
  expect(await run('--help')).toBe(0);
  const commands = [...out.matchAll(/^ {2}([a-z][\w-]*) .*$/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');
  expect(commands.length).toBeGreaterThan(15);
  for (const command of commands) {
    out = '';
    expect(await run('help', command)).toBe(0);
    expect(out).toContain(`Usage: signum ${command}`);
    // a command that was not loaded would know --help only
    expect(out.match(/^ {2}-/gm)!.length > 1 || command === 'build-native').toBe(true);
  }
});
