import { writeSync } from 'node:fs';
import { Random } from '../core/random.ts';
import { convFields, poolFields } from './geometry-words.ts';
import type { FlatKernels } from './kernel-table.ts';
import { type ArgumentKind, flatKind, isArrayKind, kernelTable } from './kernel-table.ts';
import { unaryOps } from './kernels.ts';
import { nativeAddon } from './native/binding.ts';
import { wasmKernels } from './wasm/load.ts';

/**
 * Calls that no caller of ours makes: geometries whose fields contradict each other, negative and broken numbers, arrays of other sizes,
 * kinds and memories. Run as a process of its own, since what it looks for ends one: `… native 100000 1 [call]`.
 * Standard error tells how far it came, standard output, at its end, what was refused and which call took longest.
 */
type Name = keyof FlatKernels;
const names = Object.keys(kernelTable) as Name[];
const pools: ReadonlySet<string> = new Set(['maxPool', 'maxPoolBackward', 'avgPool', 'avgPoolBackward']);

const pick = <T>(random: Random, of: readonly T[]): T => of[random.integer(of.length)]!;
const smallNumber = (random: Random) =>
  pick(random, [0, 1, 2, 3, 4, 5, 8, 16, 17, 31, 33, 64, 65, 100, -1, -7, random.integer(300), random.integer(5)]);
const brokenNumber = (random: Random) =>
  pick<unknown>(random, [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 31,
    2 ** 32 + 3,
    -(2 ** 31),
    2 ** 31 - 1,
    1.5,
    '3',
    null,
    undefined,
    {},
    10n,
    65536,
    46341,
  ]);

/** Fields of a convolution that mostly fit together, then some of them changed. */
function convolution(random: Random): Int32Array {
  const [height, width, kh, kw] = [8, 8, 3, 3].map((most) => 1 + random.integer(most)) as [
    number,
    number,
    number,
    number,
  ];
  const [stride, pad, dilation, groups] = [
    1 + random.integer(2),
    random.integer(3),
    1 + random.integer(2),
    pick(random, [1, 1, 2, 3]),
  ];
  const [inputs, outputs] = [
    groups * pick(random, [1, 3, 5, 16, 33, 64]),
    groups * pick(random, [1, 2, 8, 15, 32, 33]),
  ];
  const out = (size: number, kernel: number) => Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
  const g = [
    random.integer(4),
    height,
    width,
    inputs,
    kh,
    kw,
    outputs,
    stride,
    pad,
    dilation,
    groups,
    out(height, kh),
    out(width, kw),
  ];
  return disturbed(random, g, 4);
}

function pooling(random: Random): Int32Array {
  const [height, width, window] = [8, 8, 3].map((most) => 1 + random.integer(most)) as [number, number, number];
  const [stride, pad] = [1 + random.integer(2), random.integer(2)];
  const out = (size: number) => Math.floor((size + 2 * pad - window) / stride) + 1;
  return disturbed(
    random,
    [random.integer(4), height, width, pick(random, [1, 3, 16, 33]), window, stride, pad, out(height), out(width)],
    3,
  );
}

function copy(random: Random): Int32Array {
  const counts = [0, 0, 0].map(() => random.integer(5));
  return disturbed(random, [...counts, ...Array.from({ length: 9 }, () => random.integer(40))], 2);
}

function disturbed(random: Random, fields: number[], most: number): Int32Array {
  for (let i = random.integer(most); i > 0; i--)
    fields[random.integer(fields.length)] = pick(random, [
      smallNumber(random),
      smallNumber(random),
      2 ** 31 - 1,
      65536,
    ]);
  return Int32Array.from(fields);
}

function geometryFor(name: Name, random: Random): Int32Array {
  if (pools.has(name)) return pooling(random);
  return name === 'copyBlocks' ? copy(random) : convolution(random);
}

const arrays = { F: Float32Array, W: Uint32Array, I: Int32Array } as const;
/** Kernels whose last array is a geometry. */
const kindsOf = (name: Name) => kernelTable[name].kinds as readonly ArgumentKind[];
const isGeometry = (kind: ArgumentKind) => kind === 'conv' || kind === 'pool' || kind === 'copy';

function hostileArray(random: Random, given: unknown): unknown {
  const array = given as Float32Array;
  switch (random.integer(6)) {
    case 0:
      return new Float64Array(8);
    case 1:
      return new Uint8Array(array.buffer);
    case 2:
      return null;
    case 3:
      return [1, 2, 3];
    case 4: {
      const detached = new Float32Array(array.length);
      structuredClone(detached.buffer, { transfer: [detached.buffer] });
      return detached;
    }
    default:
      return array.subarray(0, random.integer(array.length + 1));
  }
}

/** Name and arguments of the i-th call. */
export function hostileCall(i: number): { name: Name; args: unknown[] } {
  const random = new Random(i + 1);
  const name = pick(random, names);
  const kinds = kindsOf(name).map(flatKind);
  const geometryAt = kindsOf(name).findIndex(isGeometry);
  const guess = random.integer(200);
  const args: unknown[] = kinds.map((kind, at) => {
    if (at === geometryAt) return geometryFor(name, random);
    if (isArrayKind(kind)) return new arrays[kind[0] as keyof typeof arrays](guess);
    return kind === 'float'
      ? pick(random, [0, 1, -1, 0.5, Number.NaN])
      : kind === 'flag'
        ? random.integer(2)
        : smallNumber(random);
  });
  let needed: readonly number[] = [];
  try {
    needed = (kernelTable[name].sizes as (...a: unknown[]) => readonly number[])(...args);
  } catch {
    // of arguments that make no sense
  }
  let nth = 0;
  for (const [at, kind] of kinds.entries()) {
    if (!isArrayKind(kind)) continue;
    const want = needed[nth++]!;
    if (at === geometryAt) continue;
    let length = Number.isFinite(want) ? Math.min(Math.max(0, Math.floor(want)), 200_000) : guess;
    if (random.integer(12) === 0) length = Math.max(0, length + pick(random, [-1, -5, 1, 7]));
    // a prepared filter's length differs between the backends
    if (/repare|xnorConv/.test(name) && kind[0] === 'W' && random.integer(8) > 0) length = 2 * length + 4096;
    const array = new arrays[kind[0] as keyof typeof arrays](length);
    if (random.integer(2))
      for (let z = 0; z < Math.min(length, 2000); z++)
        array[z] = kind[0] === 'F' ? random.uniform() * 2 - 1 : random.integer(2 ** 31);
    args[at] = array;
  }
  if (random.integer(7) === 0) {
    const at = random.integer(args.length);
    args[at] =
      typeof args[at] === 'number'
        ? brokenNumber(random)
        : pick(random, [hostileArray(random, args[at]), args[0], args.at(-1)]);
  }
  if (random.integer(100) === 0) args.pop();
  return { name, args };
}

/** The geometry that flat words mean; words of another number are left as they are. */
function geometryOf(kind: ArgumentKind, words: unknown): unknown {
  if (!(words instanceof Int32Array)) return words;
  const fields = kind === 'conv' ? convFields : kind === 'pool' ? poolFields : null;
  if (fields)
    return words.length === fields.length ? Object.fromEntries(fields.map((field, i) => [field, words[i]])) : words;
  const [a, b, c, length, ...runs] = words;
  const at = (i: number) => ({ offset: runs[i], steps: runs.slice(i + 1, i + 4) });
  return words.length === 12 ? { counts: [a, b, c], length, from: at(0), to: at(4) } : words;
}

/** The same call as the typed interface takes it. */
function unflattened(args: readonly unknown[], name: Name): unknown[] {
  const kinds = kindsOf(name);
  return args.map((value, at) => {
    const kind = kinds[at]!;
    if (isGeometry(kind)) return geometryOf(kind, value);
    if (kind === 'padding') return value === 1 ? 'zero' : 'one';
    return kind === 'op' ? unaryOps[value as number] : value;
  });
}

/** Makes calls [first, first + count). */
function main(backend: string, count: number, first: number): void {
  const kernels = backend === 'native' ? nativeAddon() : wasmKernels();
  if (kernels === null || kernels instanceof Error) throw new Error(`no ${backend} kernels here`);
  const [ran, slowest] = [
    { accepted: 0, refused: 0 },
    { call: -1, ms: 0 },
  ];
  for (let i = first; i < first + count; i++) {
    if (i % 100 === 0) writeSync(2, `${i}\n`);
    const { name, args: flat } = hostileCall(i);
    const args = backend === 'native' ? flat : unflattened(flat, name);
    const begin = performance.now();
    try {
      (kernels as unknown as Record<string, (...a: unknown[]) => void>)[name]!(...args);
      ran.accepted++;
    } catch {
      ran.refused++;
    }
    const ms = performance.now() - begin;
    if (ms > slowest.ms) Object.assign(slowest, { call: i, ms });
  }
  console.log(JSON.stringify({ ...ran, slowest }));
}

const [, script, backend, count, first] = process.argv;
if (script?.includes('hostile-calls')) main(backend ?? 'native', Number(count ?? 1000), Number(first ?? 0));
