// Compiles the native kernels: at install in a clone, on request (`signum build-native`) in an installed package. Says what is missing.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'kernels/native');
// npm compiles whatever has a binding.gyp at its root, so an installed package has it beside the sources
const recipe = [join(root, 'binding.gyp'), join(sources, 'binding.gyp')].find((file) => fs.existsSync(file));
export const builtAddon = join(root, 'build/Release/signum.node');

const isMac = process.platform === 'darwin';
const compiler = process.env.CXX ?? (isMac ? 'c++' : 'g++');
const pythons = [process.env.npm_config_python, process.env.PYTHON, 'python3', 'python'].filter(Boolean);
const works = (command, args, input) => spawnSync(command, args, { input, stdio: 'pipe' }).status === 0;

/** node-gyp of this project, else the one that npm brings. */
function nodeGyp() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), dirname(process.execPath)];
  const npm = [process.env.npm_execpath, ...folders.map((folder) => join(folder, 'npm'))];
  for (const file of [join(root, 'package.json'), ...npm])
    try {
      return createRequire(fs.realpathSync(file)).resolve('node-gyp/bin/node-gyp.js');
    } catch {
      // not there: the next one
    }
  return undefined;
}

/** The folder whose include/node holds Node's headers; undefined where node-gyp has to download them. */
const nodeHeaders = () =>
  [process.env.npm_config_nodedir, resolve(process.execPath, '../..')].find(
    (folder) => folder && fs.existsSync(join(folder, 'include/node/common.gypi')),
  );

const program =
  '#include <span>\n#include <bit>\nint main() { return std::popcount(1u) + int(std::span<int>().size()); }\n';
const tools = [
  {
    name: 'python3',
    found: () => pythons.some((python) => works(python, ['-c', 'import sys; assert sys.version_info >= (3, 8)'])),
  },
  { name: 'make', found: () => works(process.env.MAKE ?? 'make', ['--version']) },
  { name: compiler, apt: 'g++', found: () => works(compiler, ['--version']) },
];
const cpp20 = () => works(compiler, ['-std=c++20', '-fsyntax-only', '-x', 'c++', '-'], program);

/** What this machine lacks to compile the kernels, in words with the cure; null when nothing. */
function missing() {
  if (process.platform === 'win32') return 'there are no native kernels for Windows yet';
  if (!recipe) return 'their sources are not in this package';
  const lacking = tools.filter(({ found }) => !found());
  if (lacking.length > 0) {
    const names = lacking
      .map(({ name }) => name)
      .join(' and ')
      .replace(/ and (?=.* and )/g, ', ');
    const cure = isMac
      ? 'xcode-select --install'
      : `Debian and Ubuntu: apt-get install ${lacking.map(({ name, apt }) => apt ?? name).join(' ')}`;
    return `${names} ${lacking.length > 1 ? 'are' : 'is'} missing (${cure})`;
  }
  if (!cpp20())
    return `${compiler} does not compile C++20; g++ 10, clang 12 or newer does (CXX names another compiler)`;
  return nodeGyp() ? null : 'node-gyp is missing (npm install node-gyp)';
}

/** Why node-gyp failed, from what it printed. */
function failure(log) {
  if (/ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT|certificate|status [45]\d\d|FetchError/.test(log) && !nodeHeaders())
    return "Node's headers (node_api.h) are missing and could not be downloaded from nodejs.org; npm_config_nodedir=<folder with include/node> names them";
  const line =
    log.split('\n').find((text) => /error[: ]|not found|No space left/i.test(text)) ?? log.trim().split('\n').at(-1);
  return `${line.trim().slice(0, 300)}`;
}

/** A clone keeps what it has compiled, so that another build only links; an installed package is left as it was. */
const workshop = fs.existsSync(join(root, 'binding.gyp')) ? join(root, 'build/native') : null;

/**
 * Compiles, by copies of the sources.
 *
 * @param output where the addon goes
 * @param definitions gyp variables, as `name=value`
 * @throws Error that says what is missing or went wrong
 */
export function buildNative(output = builtAddon, definitions = []) {
  const lack = missing();
  if (lack) throw new Error(lack);
  const folder = workshop ?? fs.mkdtempSync(join(tmpdir(), 'signum-native-'));
  try {
    fs.rmSync(join(folder, 'kernels/native'), { recursive: true, force: true });
    fs.cpSync(sources, join(folder, 'kernels/native'), { recursive: true, preserveTimestamps: true });
    fs.copyFileSync(recipe, join(folder, 'binding.gyp'));
    const headers = nodeHeaders();
    const from = headers ? [`--nodedir=${headers}`] : [];
    const variables = definitions.map((text) => `-D${text}`);
    for (const command of [
      ['configure', ...from, '--', ...variables],
      ['build', ...from],
    ]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [nodeGyp(), ...command], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        env: { JOBS: 'max', ...process.env },
      });
      if (status !== 0) throw new Error(failure(`${stderr}\n${stdout}`));
    }
    fs.mkdirSync(dirname(output), { recursive: true });
    // by renaming: another process may have the old one in its memory
    fs.copyFileSync(join(folder, 'build/Release/signum.node'), `${output}.new`);
    fs.renameSync(`${output}.new`, output);
  } finally {
    if (!workshop) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether what was compiled is newer than its sources. */
export function isCurrent() {
  if (!recipe || !fs.existsSync(builtAddon)) return false;
  const since = fs.statSync(builtAddon).mtimeMs;
  const files = [recipe, ...fs.readdirSync(sources).map((file) => join(sources, file))];
  return files.every((file) => fs.statSync(file).mtimeMs <= since);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.error('compiling the native kernels; this takes a minute or two');
    buildNative();
    console.error(`native kernels: ${builtAddon}`);
  } catch (error) {
    console.error(`error: the native kernels were not compiled: ${error.message}`);
    process.exitCode = 1;
  }
}
