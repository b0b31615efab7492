/**
 * The lists of other languages that follow from `kernelTable`, `unaryOps` and the fields of geometries. After a change of those:
 *
 *     node -C signum-source --import tsx src/backend/kernel-lists.testing.ts
 *
 * writes them; the test beside this file says when that was forgotten.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { convFields, poolFields } from './geometry-words.ts';
import { type ArgumentKind, flatKind, isArrayKind, kernelTable } from './kernel-table.ts';
import { unaryOps } from './kernels.ts';

const note = '// Written by src/backend/kernel-lists.testing.ts from the tables in src/backend: change those.';
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const constant = (name: string) => `k${camel(`-${name}`)}`;

const arrayTypes = { F: 'Floats', W: 'Words', I: 'Ints' } as const;
function nativeType(kind: ArgumentKind): string {
  const flat = flatKind(kind);
  if (isArrayKind(flat)) return arrayTypes[flat[0] as keyof typeof arrayTypes];
  return flat === 'float' ? 'float' : 'int';
}

const macro = (name: string, lines: readonly string[]) =>
  [`#define ${name}(X)`, ...lines.map((line) => `  ${line}`)].join(' \\\n');

const native = () =>
  [
    note,
    '#pragma once',
    '',
    '// X(kernel, types of its arguments...)',
    macro(
      'SIGNUM_TABLE_KERNELS',
      Object.entries(kernelTable).map(([name, { kinds }]) => `X(${[name, ...kinds.map(nativeType)].join(', ')})`),
    ),
    '',
    '// Words of geometries, in their order: X(field)',
    macro('SIGNUM_CONV_FIELDS', [convFields.map((field) => `X(${snake(field)})`).join(' ')]),
    macro('SIGNUM_POOL_FIELDS', [poolFields.map((field) => `X(${snake(field)})`).join(' ')]),
    '',
    `enum UnaryOp { ${[...unaryOps.map(constant), 'kUnaryOps'].join(', ')} };`,
    '',
  ].join('\n');

const reader = (name: string, fields: readonly string[]) => [
  `export class ${camel(`-${name}`)} {`,
  `  ${fields.map((field) => `${field}: i32;`).join(' ')}`,
  '}',
  '',
  `const ${name} = new ${camel(`-${name}`)}();`,
  '',
  '/** Reads a geometry into the one shared object: kernels do not nest. */',
  `export function read${camel(`-${name}`)}(g: usize): ${camel(`-${name}`)} {`,
  ...fields.map((field, i) => `  ${name}.${field} = field(g, ${i});`),
  `  return ${name};`,
  '}',
];

const geometry = () =>
  [
    note,
    '',
    '@inline export function field(g: usize, i: i32): i32 {',
    '  return load<i32>(g + (<usize>i << 2));',
    '}',
    '',
    ...reader('conv', convFields),
    '',
    ...reader('pool', poolFields),
    '',
  ].join('\n');

const ops = () => [note, ...unaryOps.map((op, i) => `export const ${camel(op)} = ${i};`), ''].join('\n');

/** What each file must hold, by its address. */
export const kernelLists: ReadonlyMap<URL, string> = new Map([
  [new URL('../../kernels/native/kernel_list.h', import.meta.url), native()],
  [new URL('../../kernels/wasm/assembly/geometry.ts', import.meta.url), geometry()],
  [new URL('../../kernels/wasm/assembly/unary-ops.ts', import.meta.url), ops()],
]);

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, text] of kernelLists) writeFileSync(file, text);
