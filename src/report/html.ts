/** A piece of HTML that only `h` and the page builder write: every text in it is escaped. */
export class Html {
  private readonly code: string;

  /** @param code must be HTML already; texts go through `h` */
  constructor(code: string) {
    this.code = code;
  }

  toString(): string {
    return this.code;
  }
}

/** What an element may hold; texts are escaped, `null` is nothing. */
export type Content = Html | string | number | null | readonly Content[];
export type Tag = keyof HTMLElementTagNameMap | 'svg' | 'rect' | 'line' | 'circle';
/** Values are escaped; `undefined` leaves the attribute out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => entities[c]!);
/** Elements without an end. */
const empty: ReadonlySet<string> = new Set(['br', 'img', 'meta']);

function codeOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Html) return content.toString();
  return typeof content === 'object' ? content.map(codeOf).join('') : escaped(String(content));
}

/** An element: `h('td', { title: 'share' }, percent(x))`. */
export function h(tag: Tag, attributes: Attributes, ...content: Content[]): Html {
  const given = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}="${escaped(String(value))}"`],
  );
  return new Html(`<${tag}${given.join('')}>${empty.has(tag) ? '' : `${codeOf(content)}</${tag}>`}`);
}

/** Several pieces as one. */
export const together = (...content: Content[]): Html => new Html(codeOf(content));
