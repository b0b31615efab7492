/**
 * Writes run folders of the commit at hand, and what they must give ever after, to `src/train/fixtures/<name>/`:
 *
 *     node -C signum-source --import tsx src/train/make-run-fixtures.testing.ts <name> [<run> ...]
 *
 * Run it natively, in a clone of the commit; the tests read every folder that lies there.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { useBackend } from '../backend/select.ts';
import { begin, figuresOf, finish, fixtureRuns } from './run-fixtures.testing.ts';

const [name, ...only] = process.argv.slice(2);
if (!name) throw new Error('make-run-fixtures: give the fixtures a name, such as the short hash of the commit');
useBackend('native');
const to = join(fileURLToPath(new URL('./fixtures', import.meta.url)), name);
const work = mkdtempSync(join(tmpdir(), 'signum-fixtures-'));
const expected: Record<string, unknown> = {};
for (const run of only.length > 0 ? only : Object.keys(fixtureRuns)) {
  const path = join(work, run);
  await begin(path, run);
  mkdirSync(join(to, run), { recursive: true });
  cpSync(join(path, 'config.json'), join(to, run, 'config.json'));
  const kept = readdirSync(path).filter((file) => file === 'metrics.jsonl' || file.endsWith('.safetensors'));
  for (const file of kept)
    writeFileSync(join(to, run, `${file}.gz`), gzipSync(readFileSync(join(path, file)), { level: 9 }));
  const { file, ...figures } = await figuresOf(path);
  writeFileSync(join(to, run, 'model.safetensors.gz'), gzipSync(file, { level: 9 }));
  expected[run] = { ...figures, ...(await finish(path)) };
}
writeFileSync(join(to, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
rmSync(work, { recursive: true });
