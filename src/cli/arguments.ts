import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { type PerKind, parameterKinds } from '../core/parameter-kinds.ts';

function parse(text: string, valid: (value: number) => boolean, expected: string): number {
  const value = Number(text);
  if (text.trim() === '' || !valid(value)) throw new InvalidArgumentError(`expected ${expected}, got "${text}".`);
  return value;
}

export const integer = (text: string): number =>
  parse(text, (v) => Number.isSafeInteger(v) && v >= 0, 'a whole number');
export const atLeastOne = (text: string): number =>
  parse(text, (v) => Number.isSafeInteger(v) && v >= 1, 'a whole number of at least 1');
export const number = (text: string): number => parse(text, (v) => Number.isFinite(v) && v >= 0, 'a number >= 0');
export const positive = (text: string): number => parse(text, (v) => Number.isFinite(v) && v > 0, 'a number above 0');
export const share = (text: string): number => parse(text, (v) => v >= 0 && v < 1, 'a number from 0 to below 1');

/** Option of the commands that show a trained network its images. */
export const allowBroken = [
  '--allow-broken <share>',
  'leave out up to this share of broken pictures of a folder (default: as the run was told, else 0.01)',
  share,
] as const;

/** `8,4,2` */
export const numbers = (text: string): number[] => text.split(',').map(number);

/** `1/3` */
export function bits(text: string): { weight: number; activation: number } {
  const [, weight, activation] = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text) ?? [];
  if (weight === undefined || activation === undefined)
    throw new InvalidArgumentError(`expected bits of weights/activations such as 1/3, got "${text}".`);
  return { weight: Number(weight), activation: Number(activation) };
}

/** `latents=0.01,norms=0.1` */
export function byKind(text: string): PerKind {
  const entries = text.split(',').map((item) => item.split('=').map((part) => part.trim()));
  const kinds: readonly string[] = parameterKinds;
  const wrong = entries.findIndex(
    ([kind = '', value = '', ...more]) => !kinds.includes(kind) || !value || more.length > 0,
  );
  if (wrong >= 0)
    throw new InvalidArgumentError(
      `expected kind=number with a kind of ${kinds.join(', ')}, got "${text.split(',')[wrong]}".`,
    );
  return Object.fromEntries(entries.map(([kind, value]) => [kind, number(value!)]));
}

/** `activations,both`, a JSON list of stages, or a file with one */
export function stages(text: string): unknown {
  const isFile = text.endsWith('.json');
  if (!isFile && !text.trimStart().startsWith('[')) return text;
  try {
    return JSON.parse(isFile ? readFileSync(text, 'utf8') : text);
  } catch (error) {
    throw new InvalidArgumentError(
      `expected a JSON list of stages such as [{"binary":"activations"},{"binary":"both"}]: ${error instanceof Error ? error.message : error}.`,
    );
  }
}

/** `{"channels":64}` */
export function settings(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new InvalidArgumentError(`expected settings as a JSON object such as {"channels":64}, got "${text}".`);
}

/** `1.first=float,*=2-bit` */
export function policy(text: string): Record<string, string> {
  const entries = text.split(',').map((item) => item.split('=').map((part) => part.trim()));
  const wrong = entries.findIndex((parts) => parts.length !== 2 || parts.includes(''));
  if (wrong >= 0) throw new InvalidArgumentError(`expected layer=precision, got "${text.split(',')[wrong]}".`);
  return Object.fromEntries(entries);
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/** `4GiB` */
export function byteSize(text: string): number {
  const [, amount = '', unit = ''] = /^([\d.]+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const size = Number(amount) * (units[unit] ?? Number.NaN);
  if (amount !== '' && size >= 1) return size;
  throw new InvalidArgumentError(`expected a size such as 4GiB or 500MB, got "${text}".`);
}

/** Option of the commands that load packed models. */
export const maxBytes = [
  '--max-bytes <size>',
  'what a model may take to run one image (default: 1GiB)',
  byteSize,
] as const;
