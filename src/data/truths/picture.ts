import { DataError } from '../../core/errors.ts';
import { type Placement, pixelUnder } from '../placement.ts';
import type { TruthField, Values } from '../truth.ts';

/** Each pixel of the input takes all channels of that under its middle; black beyond the border. */
export function movePicture(pixels: Values, placement: Placement, into: Values): number {
  const { picture, input } = placement;
  const channels = pixels.length / (picture.width * picture.height);
  let at = 0;
  for (let y = 0; y < input.height; y++)
    for (let x = 0; x < input.width; x++) {
      const under = pixelUnder(placement, x, y);
      const from = under ? (under.y * picture.width + under.x) * channels : 0;
      for (let c = 0; c < channels; c++) into[at++] = under ? pixels[from + c]! : 0;
    }
  return at;
}

/** Of each image another of the same height and width, bytes [H,W,C] with any number of channels: what the network should make of it. */
export const pictureOfImage: TruthField<Uint8Array> = {
  id: 'target image',
  mover: { module: import.meta.url, name: 'movePicture' },
  check: (pixels, { name, count, shape: [height, width], ofFiles }) => {
    if (ofFiles)
      throw new DataError(
        `${name}: target images go with images in memory, so that both are scaled alike; decode both to pixels (decodeImage)`,
      );
    if (pixels.length === 0 || pixels.length % (count * height * width) !== 0)
      throw new DataError(
        `${name}: the target images have ${pixels.length} bytes; expected a multiple of ${count} images of ${height}x${width}`,
      );
  },
};
