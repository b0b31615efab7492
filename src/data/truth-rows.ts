import { UsageError } from '../core/errors.ts';
import type { Placement } from './placement.ts';
import {
  type Column,
  columnsOf,
  isRagged,
  type Mover,
  type MoverAddress,
  rowOf,
  sharedLike,
  type Truth,
  type TruthPlace,
} from './truth.ts';

/** How a column goes into batches; all of it can be sent to a thread. */
export interface RowLayout {
  readonly name: string;
  readonly ragged: boolean;
  /** Most values of an image in a batch. */
  readonly room: number;
  readonly mover?: MoverAddress | undefined;
}

const longestRow = (column: Column, count: number): number => {
  if (!isRagged(column)) return column.length / count;
  let longest = 0;
  for (let i = 0; i < count; i++) longest = Math.max(longest, column.offsets[i + 1]! - column.offsets[i]!);
  return longest;
};

/** @param shape [H,W,C] of the input */
export function layoutsOf(truth: Truth, split: { readonly count: number }, shape: TruthPlace['shape']): RowLayout[] {
  const columns = new Map(columnsOf(split));
  return Object.entries(truth).map(([name, { perImage, mover }]) => {
    const column = columns.get(name)!;
    const fixed = perImage?.(shape);
    return {
      name,
      ragged: isRagged(column) && fixed === undefined,
      room: fixed ?? longestRow(column, split.count),
      mover,
    };
  });
}

/** @throws UsageError when the module has no such function */
export async function moverAt({ module, name }: MoverAddress): Promise<Mover> {
  const exported = ((await import(/* @vite-ignore */ module)) as Record<string, unknown>)[name];
  if (typeof exported === 'function') return exported as Mover;
  throw new UsageError(`a truth is moved by "${name}" of ${module}, which exports no such function; export it there`);
}

/** Room for a column in a batch. @param source the column of the split */
export function roomFor({ ragged, room }: RowLayout, source: Column, batch: number): Column {
  const values = sharedLike(isRagged(source) ? source.values : source, batch * room);
  return ragged ? { offsets: new Uint32Array(new SharedArrayBuffer(4 * (batch + 1))), values } : values;
}

/** The part of a column that a batch of so many images fills. */
export const filledPart = (column: Column, { room }: RowLayout, count: number): Column =>
  isRagged(column)
    ? { offsets: column.offsets.subarray(0, count + 1), values: column.values.subarray(0, column.offsets[count]) }
    : column.subarray(0, count * room);

/** One column of a batch while it is made: images may come in any order, and some not at all. */
export class TruthRows {
  private readonly layout: RowLayout;
  private readonly source: Column;
  private readonly images: number;
  private readonly into: Column;
  private readonly move: Mover | undefined;
  private readonly lengths: Uint32Array;

  /** @param images of the split @param into as `roomFor` makes it */
  constructor(layout: RowLayout, source: Column, images: number, batch: number, into: Column, move: Mover | undefined) {
    this.layout = layout;
    this.source = source;
    this.images = images;
    this.into = into;
    this.move = move;
    this.lengths = new Uint32Array(batch);
  }

  /** @param at place in the batch */
  place(image: number, at: number, placement: Placement): void {
    const { room } = this.layout;
    const row = rowOf(this.source, image, this.images);
    const values = isRagged(this.into) ? this.into.values : this.into;
    const to = values.subarray(at * room, (at + 1) * room);
    if (this.move) this.lengths[at] = this.move(row, placement, to);
    else {
      to.set(row);
      this.lengths[at] = row.length;
    }
  }

  /** The column of the images at these places of the batch, the others left out. */
  close(kept: readonly number[]): Column {
    const { room } = this.layout;
    const values = isRagged(this.into) ? this.into.values : this.into;
    let end = 0;
    kept.forEach((from, to) => {
      const length = isRagged(this.into) ? this.lengths[from]! : room;
      if (end !== from * room) values.copyWithin(end, from * room, from * room + length);
      end += length;
      if (isRagged(this.into)) this.into.offsets[to + 1] = end;
    });
    if (isRagged(this.into)) this.into.offsets[0] = 0;
    return filledPart(this.into, this.layout, kept.length);
  }
}
