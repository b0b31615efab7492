import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** Exit status, or the name of the signal that ended it. */
  readonly end: number | string;
  readonly output: string;
  readonly errors: string;
}

/** Runs a TypeScript file as a process of its own: for what may end the process, or needs its own number of native threads. */
export function runProcess(
  file: URL,
  args: readonly (string | number)[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const node = ['--conditions', 'signum-source', '--import', 'tsx', fileURLToPath(file), ...args.map(String)];
  const child = spawn(process.execPath, node, { env: { ...process.env, ...env, NODE_OPTIONS: '' } });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errors += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ end: signal ?? code ?? -1, output, errors }));
  });
}
