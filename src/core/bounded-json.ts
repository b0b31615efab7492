import { FormatError } from './errors.ts';
import { quoted, reasonOf } from './printable.ts';

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Place of the quote that ends the string begun at `start`; the end of the text where none does. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function isKey(text: string, after: number): boolean {
  let at = after;
  while (text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === colon;
}

function addKey(keys: Set<string> | undefined, raw: string): void {
  const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  if (key === '__proto__') throw new FormatError('the name "__proto__" is not allowed');
  if (keys?.has(key)) throw new FormatError(`the name ${quoted(key)} comes twice`);
  keys?.add(key);
}

/**
 * JSON of a stranger: one pass over its text bounds what parsing it may allocate, and refuses what `JSON.parse` takes without a word, names
 * that come twice (the last would win) and `__proto__`.
 *
 * @param most.depth of lists and objects in one another
 * @param most.values all together
 * @throws FormatError without the name of the file, for the caller to put before it
 */
export function parseBoundedJson(text: string, most: { readonly depth: number; readonly values: number }): unknown {
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  try {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        const end = stringEnd(text, at);
        if (isKey(text, end + 1)) addKey(open.at(-1), text.slice(at, end + 1));
        at = end;
      } else if (code === openBrace || code === openBracket) {
        if (open.push(code === openBrace ? new Set() : undefined) > most.depth)
          throw new FormatError(`lists and objects lie more than ${most.depth} deep in one another`);
        values++;
      } else if (code === closeBrace || code === closeBracket) open.pop();
      else if (code === comma) values++;
      if (values > most.values) throw new FormatError(`it holds more than ${most.values} values`);
    }
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`it is not valid JSON: ${reasonOf(error)}`);
  }
}
