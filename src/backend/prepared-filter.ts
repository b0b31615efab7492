import type { ConvGeometry } from '../core/conv-geometry.ts';
import { SignumError } from '../core/errors.ts';

/** FNV-1a over 32-bit words. */
const mix = (hash: number, word: number) => Math.imul(hash ^ word, 0x01000193) >>> 0;

/**
 * A prepared filter's last word says whose layout it has: another instruction set or backend, or a convolution of another shape, would
 * read it as different weights and answer wrongly without a word.
 */
export class PreparedLayout {
  private readonly layout: number;
  private readonly words: (g: ConvGeometry) => number;
  private readonly owner: string;

  /** @param owner the kernels, by name; @param words length of a prepared filter with its last word */
  constructor(owner: string, words: (g: ConvGeometry) => number) {
    this.owner = owner;
    this.words = words;
    this.layout = [...owner].reduce((hash, letter) => mix(hash, letter.charCodeAt(0)), 0x811c9dc5);
  }

  private tag(g: ConvGeometry): number {
    const { kernelHeight, kernelWidth, inChannels, outChannels, groups, dilation } = g;
    return [kernelHeight, kernelWidth, inChannels, outChannels, groups, dilation].reduce(mix, this.layout);
  }

  mark(prepared: Uint32Array, g: ConvGeometry): void {
    prepared[this.words(g) - 1] = this.tag(g);
  }

  /** @throws SignumError when the filter was prepared by other kernels or for another convolution */
  check(prepared: Uint32Array, g: ConvGeometry): void {
    if (prepared[this.words(g) - 1] === this.tag(g)) return;
    throw new SignumError(
      `this filter was not prepared by ${this.owner} for ${g.groups > 1 ? `${g.groups} groups of ` : ''}${g.kernelHeight}x${g.kernelWidth}, ` +
        `${g.inChannels} to ${g.outChannels} channels: call prepareXnorFilter of the kernels that run it, with the same geometry`,
    );
  }
}
