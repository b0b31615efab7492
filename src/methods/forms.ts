import { UsageError } from '../core/errors.ts';
import type { Bits, Method, Range } from './method.ts';

export const only = (value: number): Range => ({ from: value, to: value });

const isIn = (value: number, { from, to, float }: Range): boolean =>
  (Number.isInteger(value) && value >= from && value <= to) || (float === true && value === 32);

const inWords = ({ from, to, float }: Range): string =>
  `${from === to ? from : `${from} to ${to}`}${float ? ' or 32 (float)' : ''}`;

/** Without other forms: what builds upon a method has one only. */
export const oneForm = ({ widths: _, bases: __, ...method }: Method): Method => method;

/** `weights 1, activations 1 to 8`; null where a method has one form. */
export function formsText({ widths, bases }: Method): string | null {
  if (widths) return `weights ${inWords(widths.weight)}, activations ${inWords(widths.activation)}`;
  return bases ? `bases ${inWords(bases.count)}` : null;
}

/**
 * The method with these bits: `--bits 1/3`.
 *
 * @throws UsageError where it has one form only, or not this one
 */
export function withBits(method: Method, { weight, activation }: Bits): Method {
  const { id, bits, widths } = method;
  if (bits.weight === weight && bits.activation === activation) return method;
  const given = `--bits ${weight}/${activation} does not go with method "${id}"`;
  if (!widths) throw new UsageError(`${given}, which is defined for ${bits.weight}/${bits.activation} only`);
  if (!isIn(weight, widths.weight) || !isIn(activation, widths.activation))
    throw new UsageError(`${given}, which is defined for ${formsText(method)}`);
  return widths.make({ weight, activation });
}

/**
 * The method as a sum of so many binary branches or bases: `--bases 5`.
 *
 * @throws UsageError where it is no sum, or not of so many
 */
export function withBases(method: Method, count: number): Method {
  const { id, bases } = method;
  const given = `--bases ${count} does not go with method "${id}"`;
  if (!bases) throw new UsageError(`${given}, which is no sum of branches`);
  if (!isIn(count, bases.count)) throw new UsageError(`${given}, which takes ${inWords(bases.count)}`);
  return bases.make(count);
}

/**
 * A form that has no row of its own, by the name that its runs store: `dorefa-w1a3`, `abc-net-5x5`, `group-net-k5`.
 *
 * @param rowNamed finds the method that it is a form of
 * @returns undefined when it is no such name
 * @throws UsageError for numbers that the method does not take
 */
export function formNamed(id: string, rowNamed: (id: string) => Method | undefined): Method | undefined {
  const [, base = '', ...numbers] = /^(.+)-(?:w(\d+)a(\d+)|(\d+)x(\d+)|k(\d+))$/.exec(id) ?? [];
  const row = rowNamed(base);
  const [first = 0, second] = numbers.filter((text) => text !== undefined).map(Number);
  if (!(second === undefined ? row?.bases : row?.widths)) return undefined;
  const form = second === undefined ? withBases(row!, first) : withBits(row!, { weight: first, activation: second });
  return form.id === id ? form : undefined;
}
