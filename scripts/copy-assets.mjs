// tsc copies modules only: what they read at run time goes beside them, the compiled kernels and the files that go into pages.
import { cpSync, existsSync, readdirSync } from 'node:fs';

const source = (path) => new URL(`../src/${path}`, import.meta.url);
const target = (path) => new URL(`../dist/${path}`, import.meta.url);

const kernels = 'backend/wasm/';
const built = existsSync(source(kernels)) ? readdirSync(source(kernels)).filter((name) => name.endsWith('.wasm')) : [];
for (const file of built) cpSync(source(kernels + file), target(kernels + file));
cpSync(source('report/assets/'), target('report/assets/'), { recursive: true });
