import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threads } from '../../src/backend/select.ts';
import { Random } from '../../src/core/random.ts';
import { buildNetwork } from '../../src/models/table.ts';
import { pack } from '../../src/pack/pack.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { faster, median, type Result, type Row } from '../harness.ts';
import { onnxResNet20 } from '../onnx.ts';
import { peerFile, requirePeer } from '../peers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rounds = 15;
const shape = [32, 32, 3] as const;

/** A program in a process of its own, which loads a library and answers for one image. */
interface Start {
  /** Milliseconds that loading the library took. */
  readonly imported: number;
  /** Milliseconds from before the process was started to its answer. */
  readonly answered: number;
}

function start(args: readonly string[]): Start {
  const begin = performance.timeOrigin + performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const { imported, answered } = JSON.parse(stdout) as Start;
  return { imported, answered: answered - begin };
}

const report =
  'process.stdout.write(JSON.stringify({ imported, answered: performance.timeOrigin + performance.now() }))';

/** The published bundle, found by the package's own name; needs `npm run build`. */
const ours = (file: string) => [
  '--input-type=module',
  '-e',
  `import { readFileSync } from 'node:fs';
  const begin = performance.now();
  const { loadPackedModel } = await import('signum-bnn/runtime');
  const imported = performance.now() - begin;
  loadPackedModel(readFileSync(${JSON.stringify(file)})).run(new Float32Array(3072));
  ${report}`,
];

const theirs = (file: string) => [
  '-e',
  `const begin = performance.now();
  const { InferenceSession, Tensor } = require(${JSON.stringify(peerFile('onnxruntime-node'))});
  const imported = performance.now() - begin;
  (async () => {
    const session = await InferenceSession.create(${JSON.stringify(file)});
    await session.run({ x: new Tensor('float32', new Float32Array(3072), [1, 3, 32, 32]) });
    ${report}
  })();`,
];

/** ResNet-20 packed, and in float for the peer. */
function modelFiles(folder: string): readonly [string, string] {
  const [packed, float] = [join(folder, 'model.safetensors'), join(folder, 'model.onnx')];
  const images = new Float32Array(4 * 3072);
  new Random(1).fillNormal(images, 0, 1);
  const network = buildNetwork({
    model: 'resnet20',
    method: 'bnn',
    inputShape: [...shape],
    classes: 10,
    width: 1,
    seed: 1,
  });
  const classes = Array.from({ length: 10 }, (_, i) => String(i));
  const source = { classes, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
  writeFileSync(packed, pack(network, new Tensor(images, [4, ...shape]), source).bytes);
  writeFileSync(float, onnxResNet20());
  return [packed, float];
}

async function measure(): Promise<Result[]> {
  requirePeer('onnxruntime-node');
  const folder = mkdtempSync(join(tmpdir(), 'signum-start-'));
  try {
    const [packed, float] = modelFiles(folder);
    const programs = [ours(packed), theirs(float)];
    const starts = programs.map((args): Start[] => [start(args)].slice(1)); // once, for the disk's cache
    for (let round = 0; round < rounds; round++)
      for (const [i, args] of programs.entries()) starts[i]!.push(start(args));
    const of = (what: keyof Start) => starts.map((program) => median(program.map((one) => one[what])));
    const [imported, importedByPeer] = of('imported') as [number, number];
    const [answered, answeredByPeer] = of('answered') as [number, number];
    const peer = 'onnxruntime-node';
    return [
      faster(
        `start: importing the runtime (${peer}: ${importedByPeer.toFixed(0)} ms)`,
        'budget of 40 ms',
        imported,
        40,
        'ms',
        1,
        1,
      ),
      faster('start: process to first answer, ResNet-20', `${peer} fp32`, answered, answeredByPeer, 'ms', 1, threads()),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds of a whole command, in turns with an empty Node.js process: median of both. */
async function command(name: string, args: (folder: string) => readonly string[], budget: number): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'signum-start-'));
  try {
    const took = (line: readonly string[]) => {
      const begin = performance.now();
      const { status, stderr } = spawnSync(process.execPath, line, { cwd: root, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return performance.now() - begin;
    };
    const line = ['dist/cli/main.js', ...args(folder)];
    took(line);
    const [times, empty]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      times.push(took(line));
      empty.push(took(['-e', '']));
    }
    const row = `${name} (an empty Node.js process: ${median(empty).toFixed(0)} ms)`;
    return [faster(row, `budget of ${budget} ms`, median(times), budget, 'ms', 1, 1)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const startRows: Row[] = [
  { name: 'start', run: measure },
  { name: 'start-help', run: () => command('signum --help', () => ['--help'], 200) },
  {
    name: 'start-predict',
    run: () =>
      command(
        'signum predict, ResNet-20, a PNG',
        (folder) => ['predict', modelFiles(folder)[0], 'examples/seven.png'],
        600,
      ),
  },
];
