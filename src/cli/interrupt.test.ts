import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCheckpoint } from '../train/checkpoint.ts';

let directory = '';
let child: ChildProcess;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-interrupt-'));
});
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

interface Running {
  /** Resolves when something was printed that matches. */
  readonly says: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<{ code: number | null; text: string }>;
}

/** The command line as a person starts it. */
function signum(...args: string[]): Running {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const tsx = createRequire(import.meta.url).resolve('tsx');
  child = spawn(process.execPath, ['-C', 'signum-source', '--import', tsx, main, ...args], { cwd: directory });
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (part) => {
      text += part;
      for (const look of waiting) look();
    });
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => pattern.test(text) && resolve();
      waiting.add(look);
      look();
    });
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.on('exit', (code) => resolve({ code, text }));
  });
  return { says, ended };
}

const training = ['train', '--model', 'cnv6', '--method', 'bnn', '--data', 'mnist', '--name', 'x', '--json'];
/** One step of these takes many seconds. */
const slow = [...training, '--epochs', '2', '--batch', '3000', '--limit', '6000'];
const quick = [
  ...training,
  '--width',
  '0.1',
  '--epochs',
  '500',
  '--batch',
  '20',
  '--limit',
  '40',
  '--optimizer',
  'adam',
];
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const trainingFrom = (folder: string) => () => readdirSync(join(directory, folder)).includes('metrics.jsonl');
async function until(done: () => boolean): Promise<void> {
  for (;;) {
    try {
      if (done()) return;
    } catch {}
    await wait(50);
  }
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s in a step of many seconds is answered within a second, again ends within a second: %d',
  async (signal, status) => {
    const { says, ended } = signum(...slow);
    await until(trainingFrom('runs/x'));
    await wait(1500);
    let begin = performance.now();
    child.kill(signal);
    await says(/stopping after this step; again ends now/);
    expect(performance.now() - begin).toBeLessThan(1000);
    await wait(200);
    begin = performance.now();
    child.kill(signal);
    expect((await ended).code).toBe(status);
    expect(performance.now() - begin).toBeLessThan(1000);
  },
);

test('Ctrl-C stops after the step, saves, says how to continue, and is not finished; again continues', async () => {
  const { says, ended } = signum(...quick);
  await says(/epoch +2\/500/);
  child.kill('SIGINT');
  const { code, text } = await ended;
  expect(code).toBe(130);
  expect(text).toMatch(/stopped and saved; continue with: signum train --resume --name runs\/x/);
  expect(JSON.parse(/^\{.*\}$/m.exec(text)![0])).toEqual({ run: 'runs/x', finished: false, accuracy: null });
  const { epoch } = readCheckpoint(join(directory, 'runs/x/checkpoint.safetensors'));
  expect(epoch).toBeGreaterThanOrEqual(2);
  const again = signum('train', '--resume', '--name', 'x', '--json');
  await again.says(new RegExp(`epoch +${epoch + 1}/500`));
  child.kill('SIGTERM');
  expect((await again.ended).code).toBe(143);
});
