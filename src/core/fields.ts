import { FormatError } from './errors.ts';
import { quoted } from './printable.ts';

/** Turns a value of JSON into a typed one. @throws FormatError saying where, what was expected and what was given */
export type Reader<T> = (value: unknown, path: string) => T;
export type Read<R> = R extends Reader<infer T> ? T : never;

type Fields = Readonly<Record<string, Reader<unknown>>>;
type MaybeMissing<F> = { [K in keyof F]: undefined extends Read<F[K]> ? K : never }[keyof F];
export type ReadFields<F> = { [K in Exclude<keyof F, MaybeMissing<F>>]: Read<F[K]> } & {
  [K in MaybeMissing<F>]?: Read<F[K]>;
};

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new FormatError(`${path || 'its root'}: expected ${expected}, got ${shown(value)}`);
}

export const whole =
  (least: number, most: number): Reader<number> =>
  (value, path) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : refuse(path, `a whole number from ${least} to ${most}`, value);

/** JSON cannot say infinity, but `1e999` parses as it. */
export const finite: Reader<number> = (value, path) =>
  Number.isFinite(value) ? (value as number) : refuse(path, 'a finite number', value);

export const positive: Reader<number> = (value, path) =>
  finite(value, path) > 0 ? (value as number) : refuse(path, 'a number above 0', value);

export const flag: Reader<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false', value);

export const text =
  (most: number): Reader<string> =>
  (value, path) =>
    typeof value === 'string' && value.length <= most
      ? value
      : refuse(path, `text of at most ${most} characters`, value);

export const oneOf =
  <const T extends string | number>(...values: T[]): Reader<T> =>
  (value, path) =>
    values.find((one) => one === value) ?? refuse(path, `one of ${values.map((one) => shown(one)).join(', ')}`, value);

export const either =
  <A, B>(first: Reader<A>, second: Reader<B>): Reader<A | B> =>
  (value, path) =>
    typeof value === 'string' ? second(value, path) : first(value, path);

export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path) =>
    value === undefined ? undefined : reader(value, path);

export const list =
  <T>(item: Reader<T>, least: number, most: number): Reader<T[]> =>
  (value, path) => {
    if (!Array.isArray(value) || value.length < least || value.length > most)
      return refuse(path, `a list of ${least === most ? least : `${least} to ${most}`}`, value);
    return value.map((entry, i) => item(entry, `${path}.${i}`));
  };

/** An object with these fields; others are left out. */
export const record =
  <const F extends Fields>(fields: F): Reader<ReadFields<F>> =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'an object', value);
    const result: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(fields)) {
      const field = reader((value as Record<string, unknown>)[name], path ? `${path}.${name}` : name);
      if (field !== undefined) result[name] = field;
    }
    return result as ReadFields<F>;
  };
