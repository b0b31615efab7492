/** Bytes of a file from `at` on: `length` of them, fewer at its end. */
export type ReadBytes = (at: number, length: number) => Uint8Array;

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const text = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Far more segments than a camera writes before the picture's own. */
const mostSegments = 1000;

/** The segments of a JPEG up to the one that says its size. */
function jpegProblem(read: ReadBytes): string | null {
  let at = 2;
  for (let i = 0; i < mostSegments; i++) {
    const segment = read(at, 9);
    if (segment.length < 9 || segment[0] !== 0xff) return 'it ends within its header';
    const marker = segment[1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return word(segment, 7) > 0 ? null : 'its header gives it no size';
    // fill bytes and markers without a length
    at += marker === 0xff ? 1 : marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8) ? 2 : 2 + word(segment, 2);
  }
  return 'its header has no end';
}

interface Kind {
  readonly name: string;
  readonly isOf: (head: Uint8Array) => boolean;
  /** What is wrong with the rest of the header; null when nothing is. */
  readonly problem: (head: Uint8Array, read: ReadBytes) => string | null;
}

const atLeast =
  (bytes: number) =>
  (head: Uint8Array): string | null =>
    head.length < bytes ? 'it ends within its header' : null;

/** Kinds of pictures that the decoder reads, by how their files begin. A further kind is a row here. */
const kinds: readonly Kind[] = [
  { name: 'JPEG', isOf: (head) => head[0] === 0xff && head[1] === 0xd8, problem: (_head, read) => jpegProblem(read) },
  {
    name: 'PNG',
    isOf: (head) => text(head, 0, 8) === '\x89PNG\r\n\x1a\n',
    problem: (head) => atLeast(33)(head) ?? (text(head, 12, 4) === 'IHDR' ? null : 'its header is damaged (no IHDR)'),
  },
  { name: 'GIF', isOf: (head) => /^GIF8[79]a$/.test(text(head, 0, 6)), problem: atLeast(13) },
  {
    name: 'WebP',
    isOf: (head) => text(head, 0, 4) === 'RIFF' && text(head, 8, 4) === 'WEBP',
    problem: (head) =>
      atLeast(30)(head) ?? (/^VP8[ LX]$/.test(text(head, 12, 4)) ? null : 'its header is damaged (no VP8)'),
  },
  {
    name: 'TIFF',
    isOf: (head) => /^(II[*+]\0|MM\0[*+])$/.test(text(head, 0, 4)),
    problem: atLeast(8),
  },
  {
    name: 'AVIF',
    isOf: (head) => text(head, 4, 4) === 'ftyp' && /avi[fs]/.test(text(head, 8, 32)),
    problem: atLeast(16),
  },
];

/** Of other kinds, so that the error can say so. */
const foreign: readonly (readonly [string, RegExp])[] = [
  ['a HEIC photograph', /^....ftyp.*(hei[cxms]|hev[cx]|mif1)/s],
  ['a BMP picture', /^BM/],
  ['a JPEG XL picture', /^(\xff\n|.{4}JXL )/s],
  ['a JPEG 2000 picture', /^.{4}jP {2}/s],
  ['a PDF document', /^%PDF/],
  ['a web page', /^\s*<(!doctype )?html/i],
];

/**
 * What keeps a file from being a picture that can be decoded, as far as its header tells; null for a good header. It costs a fraction of what
 * the decoder takes to look at one: a million files take a minute.
 */
export function headerProblem(read: ReadBytes): string | null {
  const head = read(0, 64);
  if (head.length === 0) return 'the file is empty';
  const kind = kinds.find(({ isOf }) => isOf(head));
  if (kind) {
    const problem = kind.problem(head, read);
    return problem && `a ${kind.name} file, but ${problem}`;
  }
  const other = foreign.find(([, begin]) => begin.test(text(head, 0, head.length)));
  const known = kinds.map(({ name }) => name).join(', ');
  return other
    ? `${other[0]}, which is not read; convert it to one of ${known}`
    : `it does not begin as a ${known} file`;
}
