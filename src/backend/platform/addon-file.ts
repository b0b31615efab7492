import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../../core/printable.ts';
import type { AddonSource, NativeAddon } from '../native/addon.ts';
import { environmentVariable } from './environment.ts';

/** Systems with a package of their own in `packages/`, whose addon is compiled before it is published. */
export const prebuiltSystems: readonly string[] = ['linux-x64'];
const system = `${process.platform}-${process.arch}`;
const prebuiltPackage = `@signum-bnn/${system}`;

let source: AddonSource | null = null;

/** Where the loaded addon came from; null before `loadAddon` or when there is none. */
export function addonSource(): AddonSource | null {
  return source;
}

/**
 * The compiled addon, or the reason why there is none. What was compiled here goes before what was shipped, and the file that SIGNUM_ADDON
 * names, a build with a sanitizer say, before both.
 */
export function loadAddon(): NativeAddon | Error {
  // not when this module loads: in a bundle for `require` there is no address
  if (!import.meta.url)
    return new Error('this bundle cannot find native kernels: keep signum-bnn out of it (docs/bundlers.md)');
  const require = createRequire(import.meta.url);
  // no `new URL`: bundlers would look for the file
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
  const builtFile = join(root, 'build/Release/signum.node');
  const reasons: string[] = [];
  const own = environmentVariable('SIGNUM_ADDON');
  if (own) {
    source = 'built';
    return require(resolve(own)) as NativeAddon;
  }
  for (const from of ['built', 'prebuilt'] as const)
    try {
      if (from === 'built' && !existsSync(builtFile)) continue;
      const addon = require(from === 'built' ? builtFile : prebuiltPackage) as NativeAddon;
      source = from;
      return addon;
    } catch (error) {
      reasons.push(from === 'built' ? `${builtFile} does not load: ${firstLine(error)}` : whyNotPrebuilt(error, root));
    }
  // the runtime alone has no sources
  const cure = existsSync(join(root, 'kernels/native'))
    ? '`npx signum-bnn build-native` compiles them'
    : 'the package signum-bnn compiles them (`npx signum-bnn build-native`), and SIGNUM_ADDON names the file that it says';
  return new Error(`${reasons.join('; ')}; ${cure}`);
}

const firstLine = (error: unknown) => reasonOf(error).split('\n')[0]!;

function whyNotPrebuilt(error: unknown, root: string): string {
  if (!prebuiltSystems.includes(system)) return `no native kernels are shipped for ${system}`;
  if (existsSync(join(root, 'binding.gyp'))) return 'the native kernels of this clone are not compiled';
  if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND')
    return `${prebuiltPackage} does not load: ${firstLine(error)}`;
  if (process.platform === 'linux' && !hasGlibc())
    return `no native kernels are shipped for ${system} without glibc (as on Alpine)`;
  return `the package ${prebuiltPackage} is not installed (was it left out by --omit=optional, or node_modules copied from another system?)`;
}

function hasGlibc(): boolean {
  try {
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime !== undefined;
  } catch {
    return true; // Deno without --allow-sys does not tell
  }
}
