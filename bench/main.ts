import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { nativeKernels } from '../src/backend/native/binding.ts';
import { formatTable } from '../src/cli/output.ts';
import { reasonOf } from '../src/core/printable.ts';
import { suggestion } from '../src/core/suggest.ts';
import { compareWith } from './against.ts';
import type { Result, Row } from './harness.ts';
import { convRows, wasmConvRows } from './rows/conv.ts';
import { denseRows } from './rows/dense.ts';
import { gemmRows } from './rows/gemm.ts';
import { methodRows } from './rows/methods.ts';
import { offThreadRows } from './rows/off-thread.ts';
import { predictRows } from './rows/predict.ts';
import { sizeRows } from './rows/size.ts';
import { startRows } from './rows/start.ts';
import { trainRows } from './rows/train.ts';
import { workerRows } from './rows/workers.ts';

const rows: Row[] = [
  ...gemmRows,
  ...convRows,
  ...wasmConvRows,
  ...denseRows,
  ...trainRows,
  ...workerRows,
  ...predictRows,
  ...offThreadRows,
  ...sizeRows,
  ...startRows,
  ...methodRows,
];
const names = () => rows.map(({ name }) => name);
const args = process.argv.slice(2);
const json = args.includes('--json');
const againstAt = args.indexOf('--against');
const against = againstAt < 0 ? null : args.splice(againstAt, 2)[1];
const wanted = args.filter((arg) => !arg.startsWith('-'));
const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--json');
if (against === undefined) unknown.push('--against without a folder');
if (unknown.length > 0) {
  const asked = unknown.every((arg) => ['-h', '--help'].includes(arg));
  process.stdout.write(
    `${asked ? '' : `unknown option ${unknown.join(' ')}\n`}usage: npm run bench -- [--json | --against BUILT_CLONE] [row or how its name begins]...\nrows: ${names().join(', ')}\n`,
  );
  process.exit(asked ? 0 : 2);
}
const chosen = wanted.length === 0 ? rows : rows.filter(({ name }) => wanted.some((part) => name.startsWith(part)));
if (chosen.length === 0) {
  process.stderr.write(
    `no row "${wanted.join(' ')}"${suggestion(wanted[0] ?? '', names())}; rows: ${names().join(', ')}\n`,
  );
  process.exit(2);
}
if (against) {
  const fine = compareWith(
    against,
    chosen.map(({ name }) => name),
  );
  process.exit(fine ? 0 : 1);
}
/** Where and of what the figures are: the first line of `--json`. */
const machine = {
  processor: cpus()[0]?.model.trim(),
  instructionSet: nativeKernels()?.detail ?? 'none',
  cores: cpus().length,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
};
if (json) process.stdout.write(`${JSON.stringify(machine)}\n`);
const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const results: Result[] = [];
for (const row of chosen) {
  try {
    for (const result of await row.run()) {
      results.push(result);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else process.stderr.write(`${result.row}: ${figure(result.ratio)}x\n`);
    }
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${row.name} failed: ${reasonOf(error)}\n`);
  }
}
if (!json) {
  process.stdout.write(`\n${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}\n\n`);
  const cells = results.map((r) => [
    r.row,
    r.peer,
    figure(r.ours),
    figure(r.theirs),
    r.unit,
    `${figure(r.ratio)}x`,
    `${r.target}x`,
    r.ratio >= r.target ? 'yes' : 'no',
    String(r.threads),
  ]);
  process.stdout.write(
    `${formatTable(['row', 'peer', 'ours', 'theirs', 'unit', 'ratio', 'target', 'met', 'threads'], cells)}\n`,
  );
}
process.exit();
