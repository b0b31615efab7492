import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { flattened, type Rgba } from '../../core/pixels.ts';
import type { PictureShape, PictureSource } from './pictures.ts';
import { pixelsOfSharp, type Sharp, upright } from './sharp-pixels.ts';

let found: Sharp | undefined;

/** Beside this package, or in the project that runs: the runtime alone does not bring it. @throws UsageError when it is in neither */
function findSharp(): Sharp {
  let reason: unknown;
  // by require, so that bundlers do not ask for what an application may do without
  for (const from of import.meta.url ? [import.meta.url, join(process.cwd(), 'package.json')] : [])
    try {
      found ??= createRequire(from)('sharp') as Sharp;
      return found;
    } catch (error) {
      reason ??= error;
    }
  const why = reason instanceof Error ? reason.message.trim().split('\n')[0] : 'this bundle has no address';
  throw new UsageError(
    `decoding and resizing pictures needs the package sharp: \`npm install sharp\`, or give load(…, { decode }) a decoder of your own, or pixels of the model's size (it does not load: ${why})`,
  );
}

/** A canvas of a package for Node.js tells its pixels at once, as a page's does. */
interface CanvasLike {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): { getImageData(x: number, y: number, width: number, height: number): Rgba } | null;
}

function rgbaOf(source: PictureSource): Rgba {
  if ('data' in source) return source as Rgba;
  const { width, height } = source as CanvasLike;
  const pixels =
    'getContext' in source ? (source as CanvasLike).getContext('2d')?.getImageData(0, 0, width, height) : null;
  if (pixels) return pixels;
  throw new UsageError(
    'only a page can draw this; give a picture file, ImageData, a canvas or pixels with their shape',
  );
}

/** Pixels of a picture at a size. @throws UsageError without sharp; the decoder's own errors */
export async function decodePicture(source: PictureSource, shape: PictureShape): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return pixelsOfSharp(upright(findSharp(), source), shape);
  const { data, width, height } = rgbaOf(source);
  const { channels, resize } = shape;
  if (width === shape.width && height === shape.height)
    return flattened({ data, width, height }, channels, resize.background);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return pixelsOfSharp(upright(findSharp(), bytes, { raw: { width, height, channels: 4 } }), shape);
}
