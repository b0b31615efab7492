// A prebuilt addon must load where the C library is older than here. The linker binds every symbol to its newest version, so it is given
// stubs of libc and libm that hold, of each symbol of this machine's, only the newest version that the older library had.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const compiler = process.env.CXX ?? 'g++';
const fileOf = (library) => execFileSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();

/** `2.34` → 2034, to compare by. */
export const versionNumber = (version) => version.split('.').reduce((sum, part, i) => sum + part * [1e6, 1e3, 1][i], 0);

/** The versioned symbols that a shared object defines or, with `undefined`, asks others for. */
export function dynamicSymbols(file, kind) {
  const lines = execFileSync('objdump', ['-T', file], { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n');
  return lines.flatMap((line) => {
    const [, flags, section, version, name] =
      /^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+\(?([A-Z]+_[\d.]+)\)?\s+(\S+)$/.exec(line) ?? [];
    if (name === undefined || section === '*ABS*' || (section === '*UND*') !== (kind === 'undefined')) return [];
    return [{ name, library: version.split('_')[0], version: version.split('_')[1], isData: flags.endsWith('O') }];
  });
}

function stub(folder, library, newest) {
  const best = new Map();
  for (const symbol of dynamicSymbols(fileOf(library), 'defined')) {
    if (symbol.library !== 'GLIBC' || versionNumber(symbol.version) > versionNumber(newest)) continue;
    const known = best.get(symbol.name);
    if (!known || versionNumber(known.version) < versionNumber(symbol.version)) best.set(symbol.name, symbol);
  }
  const symbols = [...best.values()];
  const versions = [...new Set(symbols.map(({ version }) => version))];
  const script = versions.map((version, i) =>
    `GLIBC_${version} { global: ${symbols.filter((s) => s.version === version).map(({ name }) => `"${name}";`)} ${i === 0 ? 'local: *;' : ''} };`.replaceAll(
      ';,',
      ';',
    ),
  );
  const labels = symbols.map(
    ({ name, isData }) => `.globl ${name}\n.type ${name}, ${isData ? '@object' : '@function'}\n${name}:`,
  );
  const [assembly, map] = [join(folder, `${library}.s`), join(folder, `${library}.map`)];
  writeFileSync(assembly, `.text\n${labels.join('\n')}\n.byte 0\n.section .note.GNU-stack,"",@progbits\n`);
  writeFileSync(map, `${script.join('\n')}\n`);
  const options = ['-shared', '-nostdlib', `-Wl,-soname,${library}`, `-Wl,--version-script=${map}`];
  execFileSync(compiler, [...options, assembly, '-o', join(folder, library)]);
}

/**
 * Writes stubs into a folder that `-L` then names.
 *
 * @param newest the newest version of glibc that the result may need, as `2.28`
 */
export function stubsOfOlderGlibc(folder, newest) {
  mkdirSync(folder, { recursive: true });
  for (const library of ['libc.so.6', 'libm.so.6']) stub(folder, library, newest);
  // threads lay in a library of their own before 2.34; every node of that time has loaded it
  const parts = [join(folder, 'libc.so.6'), fileOf('libc_nonshared.a')];
  writeFileSync(
    join(folder, 'libc.so'),
    `GROUP ( ${parts.join(' ')} AS_NEEDED ( ${fileOf('ld-linux-x86-64.so.2')} ) )\n`,
  );
  writeFileSync(join(folder, 'libm.so'), `INPUT ( ${join(folder, 'libm.so.6')} )\n`);
}
