/**
 * What a terminal would obey instead of showing: control characters (C0, DEL and C1, with which escape sequences begin), characters that turn
 * the direction of text around, line separators, halves of a surrogate pair.
 */
const obeyed = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** `\u001b`, which also JSON reads as that character. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A name from a file, a tar or a model, as one line that a terminal only shows. @param most characters; a longer name loses its middle */
export function printable(name: string, most = 200): string {
  const kept = (most - 1) / 2;
  const short = name.length > most ? `${name.slice(0, Math.ceil(kept))}…${name.slice(-Math.floor(kept))}` : name;
  return short.replace(obeyed, escaped);
}

/** Text that holds such names somewhere: its lines stay lines. Of JSON it makes JSON of the same value. */
export function printableText(text: string): string {
  return text.replace(obeyed, (character) => (character === '\n' ? character : escaped(character)));
}

/** A word of a command line, in quotes where a shell would take it apart. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** `a, b, c and 12 more` */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => printable(name));
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : shown.join(', ');
}

/** Such a name inside a message. */
export const quoted = (name: string): string => `"${printable(name, 80)}"`;

/** What went wrong, of whatever was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
