// What `npm ci` runs in a clone: compiles the native kernels unless they are there. The install succeeds without them too.
import { rmSync } from 'node:fs';
import { buildNative, builtAddon, isCurrent } from './build-native.mjs';

if (!isCurrent())
  try {
    rmSync(builtAddon, { force: true }); // yesterday's kernels would be loaded
    buildNative();
  } catch (error) {
    console.warn(
      `signum: the native kernels were not compiled: ${error.message}. WebAssembly serves, at a fraction of the speed; \`npm run build:native\` tries again.`,
    );
  }
