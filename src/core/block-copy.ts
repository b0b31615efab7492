import { ShapeError } from './errors.ts';

/** Where the runs of a copy lie in one array. */
export interface Runs {
  /** Of the first run. */
  readonly offset: number;
  /** Distances between runs, in the order of `counts`. */
  readonly steps: readonly [number, number, number];
}

/** Runs of `length` values at regular distances, in three nested loops: joins, slices and subsampling are such copies. */
export interface BlockCopy {
  /** Runs in each loop, outermost first. */
  readonly counts: readonly [number, number, number];
  readonly length: number;
  readonly from: Runs;
  readonly to: Runs;
}

/** Values copied. */
export const copiedValues = ({ counts, length }: Pick<BlockCopy, 'counts' | 'length'>): number =>
  counts[0] * counts[1] * counts[2] * length;

/** How many values an array must have in which the runs lie. */
export function runsExtent(g: Pick<BlockCopy, 'counts' | 'length'>, { offset, steps }: Runs): number {
  if (copiedValues(g) === 0) return 0;
  return g.counts.reduce((end, count, i) => end + (count - 1) * steps[i]!, offset + g.length);
}

/** @throws ShapeError when a field is no whole number from 0 on, or when more is copied than an array can hold */
export function checkBlockCopy(op: string, g: BlockCopy): void {
  const fields = [...g.counts, g.length, g.from.offset, ...g.from.steps, g.to.offset, ...g.to.steps];
  const wrong = fields.find((value) => !Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1);
  if (wrong !== undefined) throw new ShapeError(`${op}: a copy's fields must be whole numbers from 0 on, got ${wrong}`);
  if (copiedValues(g) > 2 ** 31 - 1) throw new ShapeError(`${op}: copies more values than an array can hold`);
}

/** The same the other way: the gradient of a copy. */
export const reversed = ({ from, to, ...rest }: BlockCopy): BlockCopy => ({ ...rest, from: to, to: from });

/** `length` channels of every row, from channel `begin` of the source to channel `begin` of the target. */
export function channelCopy(
  rows: number,
  length: number,
  source: { readonly begin: number; readonly channels: number },
  target: { readonly begin: number; readonly channels: number },
): BlockCopy {
  const runs = ({ begin, channels }: typeof source): Runs => ({ offset: begin, steps: [0, 0, channels] });
  return { counts: [1, 1, rows], length, from: runs(source), to: runs(target) };
}

/**
 * ResNet's parameter-free shortcut (He et al. 2016, option A): every `stride`-th pixel of x [N,H,W,C], centred in `channels` channels.
 * The added channels are not written.
 */
export function subsampleCopy(x: readonly number[], stride: number, channels: number): BlockCopy {
  const [batch, height, width, length] = x as [number, number, number, number];
  const [outHeight, outWidth] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  return {
    counts: [batch, outHeight, outWidth],
    length,
    from: { offset: 0, steps: [height * width * length, stride * width * length, stride * length] },
    to: { offset: (channels - length) >> 1, steps: [outHeight * outWidth * channels, outWidth * channels, channels] },
  };
}
