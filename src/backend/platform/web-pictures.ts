import { flattened, type Rgba } from '../../core/pixels.ts';
import type { PictureShape, PictureSource } from './pictures.ts';

const isRgba = (source: PictureSource): source is Rgba => 'data' in source && 'width' in source;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** In the middle of a larger or smaller one, in whole pixels, at least one. */
function centred(width: number, height: number, inside: { width: number; height: number }): Rectangle {
  const [w, h] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  return { x: Math.round((inside.width - w) / 2), y: Math.round((inside.height - h) / 2), width: w, height: h };
}

/** The part of the source that is shown, and where. */
function placed(source: { width: number; height: number }, target: PictureShape): { from: Rectangle; to: Rectangle } {
  const whole = ({ width, height }: { width: number; height: number }) => ({ x: 0, y: 0, width, height });
  const { fit } = target.resize;
  const [across, down] = [target.width / source.width, target.height / source.height];
  const [less, more] = [Math.min(across, down), Math.max(across, down)];
  return {
    from: fit === 'cover' ? centred(target.width / more, target.height / more, source) : whole(source),
    to: fit === 'contain' ? centred(source.width * less, source.height * less, target) : whole(target),
  };
}

/** Pixels of a picture at a size, by the page's decoder: upright, and scaled by the page. @throws the page's own errors */
export async function decodePicture(source: PictureSource, shape: PictureShape): Promise<Uint8Array> {
  const { width, height, channels, resize } = shape;
  let drawn: ImageBitmapSource;
  if (source instanceof Uint8Array) drawn = new Blob([source as Uint8Array<ArrayBuffer>]);
  else if (!isRgba(source)) drawn = source as ImageBitmapSource;
  else if (source.width === width && source.height === height) return flattened(source, channels, resize.background);
  else drawn = new ImageData(new Uint8ClampedArray(source.data), source.width, source.height);
  const bitmap = await createImageBitmap(drawn, { imageOrientation: 'from-image' });
  const { from, to } = placed(bitmap, shape);
  const scaled = await createImageBitmap(bitmap, from.x, from.y, from.width, from.height, {
    resizeWidth: to.width,
    resizeHeight: to.height,
    resizeQuality: resize.filter === 'nearest' ? 'pixelated' : 'high',
  });
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.fillStyle = `rgb(${resize.background.join(' ')})`;
  context.fillRect(0, 0, width, height);
  context.drawImage(scaled, to.x, to.y);
  for (const used of [bitmap, scaled]) used.close();
  return flattened(context.getImageData(0, 0, width, height), channels, resize.background);
}
