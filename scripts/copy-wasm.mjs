// tsc copies no binaries: the .wasm files go beside the compiled binding.
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';

const source = new URL('../src/backend/wasm/', import.meta.url);
const target = new URL('../dist/backend/wasm/', import.meta.url);
mkdirSync(target, { recursive: true });
if (existsSync(source))
  for (const file of readdirSync(source).filter((name) => name.endsWith('.wasm')))
    copyFileSync(new URL(file, source), new URL(file, target));
