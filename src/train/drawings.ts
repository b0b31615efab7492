import * as z from 'zod';
import { Batches } from '../data/batches.ts';
import { type DataSet, imagesOf, type Split } from '../data/dataset.ts';
import { type Picture, pictureOf, shown, shrunk } from '../data/picture.ts';
import { type Html, h, percent, picture } from '../report/index.ts';
import type { Drawing, Mark } from '../tasks/drawing.ts';

/** A page with pictures must stay a page: 24 of this size are at most 300 kB. */
const mostSide = 64;
/** Small pictures are shown in whole multiples of their pixels, about this high. */
const shownSide = 72;
const mostShown = 24;

const count = z.int().nonnegative();
const text = z.string().max(1000);
const shownSchema = z.object({ uri: z.string().startsWith('data:image/png;base64,'), width: count, height: count });
const isRight = z.boolean().optional();
const markSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('box'),
    left: z.number(),
    top: z.number(),
    width: z.number(),
    height: z.number(),
    text: text.optional(),
    isRight,
  }),
  z.object({ kind: z.literal('point'), x: z.number(), y: z.number(), text: text.optional(), isRight }),
]);

/** A drawing with its pictures, as a run keeps it. */
const drawingSchema = z.object({
  picture: shownSchema,
  /** Of the input, which marks count in. */
  width: count,
  height: count,
  alt: text,
  lines: z.array(z.array(z.union([text, z.object({ name: text })]))),
  marks: z.array(markSchema).optional(),
  beside: z.array(z.object({ title: text, picture: shownSchema })).optional(),
});
export type ShownDrawing = z.infer<typeof drawingSchema>;

/** As runs kept mistakes before other tasks were drawn. */
const mistakeSchema = z.object({ picture: shownSchema, truth: text, taken: text, confidence: z.number() });

export const drawingsSchema = z.array(
  z.union([
    drawingSchema,
    mistakeSchema.transform(
      ({ picture: seen, truth, taken, confidence }): ShownDrawing => ({
        picture: seen,
        width: seen.width,
        height: seen.height,
        alt: `${truth}, taken for ${taken}`,
        lines: [[{ name: truth }], ['taken for ', { name: taken }], [`${percent(confidence, 1)} sure`]],
      }),
    ),
  ]),
);

/** @param split what the drawings' places count in */
export async function picturesOf(
  drawings: readonly Drawing[],
  data: DataSet<Split<object>>,
  split: Split<object>,
): Promise<ShownDrawing[]> {
  const chosen = drawings.slice(0, mostShown);
  if (chosen.length === 0) return [];
  const wanted = Uint32Array.from(chosen, ({ place }) => place);
  const { images, places } = await new Batches(data, imagesOf(split, wanted), chosen.length, []).plain(0);
  const small = (of: Picture) => shown(shrunk(of, mostSide));
  const [height, width] = data.shape;
  return Array.from(places, (place, i) => {
    const { alt, lines, marks, beside } = chosen[place]!;
    return {
      picture: small(pictureOf(images, i, data)),
      width,
      height,
      alt,
      lines: lines.map((words) => [...words]),
      ...(marks ? { marks: [...marks] } : {}),
      ...(beside
        ? {
            beside: beside.map(({ title, pixels, ...size }) => {
              const channels = pixels.length === 3 * size.width * size.height ? 3 : 1;
              return { title, picture: small({ ...size, channels, pixels }) };
            }),
          }
        : {}),
    };
  });
}

function markSvg(mark: Mark): Html {
  const tone = { class: mark.isRight === undefined ? 'mark' : mark.isRight ? 'mark right' : 'mark wrong' };
  const title = mark.text === undefined ? [] : [h('title', {}, mark.text)];
  if (mark.kind === 'point') return h('circle', { ...tone, cx: mark.x, cy: mark.y, r: 1 }, title);
  const { left, top, width, height } = mark;
  return h('rect', { ...tone, x: left, y: top, width, height }, title);
}

function figureHtml({ picture: image, width, height, alt, lines, marks = [], beside = [] }: ShownDrawing): Html {
  const scale = Math.max(1, Math.round(shownSide / Math.max(image.width, image.height)));
  const seen = picture(image, scale, alt);
  const over = h('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, marks.map(markSvg));
  const words = lines.map((line, i) => [
    ...(i > 0 ? [h('br', {})] : []),
    ...line.map((word) => (typeof word === 'string' ? word : h('b', {}, word.name))),
  ]);
  return h(
    'figure',
    {},
    marks.length > 0 ? h('div', { class: 'marked' }, seen, over) : seen,
    beside.map((other) => picture(other.picture, scale, other.title)),
    h('figcaption', {}, words),
  );
}

export const drawingsHtml = (drawings: readonly ShownDrawing[]): Html =>
  h('div', { class: 'mistakes' }, drawings.map(figureHtml));
