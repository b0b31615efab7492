import type { Random } from '../core/random.ts';

/** A rectangle of an image, in pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const leastShare = 0.08;
const widestRatio = 4 / 3;
const tries = 10;

/** The largest rectangle in the middle with a width-to-height ratio between 3/4 and 4/3. */
function centralRegion(width: number, height: number): Region {
  const cropWidth = Math.min(width, Math.round(height * widestRatio));
  const cropHeight = Math.min(height, Math.round(width * widestRatio));
  return {
    left: Math.floor((width - cropWidth) / 2),
    top: Math.floor((height - cropHeight) / 2),
    width: cropWidth,
    height: cropHeight,
  };
}

/**
 * A random part of an image to be scaled to the network's input: 8 to 100 % of the area, ratio 3/4 to 4/3 (log-uniform); the
 * central part when ten draws do not fit.
 *
 * Source: Szegedy et al. 2015 (Going deeper with convolutions), sec. 6.
 */
export function randomRegion(width: number, height: number, random: Random): Region {
  for (let i = 0; i < tries; i++) {
    const area = width * height * (leastShare + (1 - leastShare) * random.uniform());
    const ratio = widestRatio ** (2 * random.uniform() - 1);
    const cropWidth = Math.round(Math.sqrt(area * ratio));
    const cropHeight = Math.round(Math.sqrt(area / ratio));
    if (cropWidth < 1 || cropHeight < 1 || cropWidth > width || cropHeight > height) continue;
    return {
      left: random.integer(width - cropWidth + 1),
      top: random.integer(height - cropHeight + 1),
      width: cropWidth,
      height: cropHeight,
    };
  }
  return centralRegion(width, height);
}
