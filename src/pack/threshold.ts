/** A batch-norm and sign after an integer dot product, as a comparison per channel: -1 where dot < threshold, or > if flipped. */
export interface Thresholds {
  readonly threshold: Int32Array;
  readonly flip: Int32Array;
}

/** sign's argument exactly as the kernels compute it: three float32 roundings. */
function beforeSign(dot: number, alpha: number, scale: number, shift: number): number {
  return Math.fround(Math.fround(Math.fround(dot * alpha) * scale) + shift);
}

/**
 * The integer comparison that decides as sign(alpha*dot*scale + shift) does for every dot in [-reach, reach]. Found by bisection
 * over the float32 expression itself, which is monotone in dot, so that rounding cannot make the packed net differ.
 *
 * @param reach number of inputs of one filter
 * Source: the threshold form of batch-norm, e.g. Umuroglu 2017 (FINN), sec. 4.2.2.
 */
export function foldThresholds(
  reach: number,
  alpha: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
): Thresholds {
  const channels = alpha.length;
  const [threshold, flip] = [new Int32Array(channels), new Int32Array(channels)];
  for (let c = 0; c < channels; c++) {
    const negativeAt = (dot: number) => beforeSign(dot, alpha[c]!, scale[c]!, shift[c]!) < 0;
    const falling = alpha[c]! * scale[c]! < 0;
    flip[c] = Number(falling);
    // rising: the smallest dot that is not negative; falling: the largest that is not
    let [low, high] = [-reach, reach + 1];
    if (falling) {
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (negativeAt(middle)) high = middle;
        else low = middle + 1;
      }
      threshold[c] = low - 1;
    } else {
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (negativeAt(middle)) low = middle + 1;
        else high = middle;
      }
      threshold[c] = low;
    }
  }
  return { threshold, flip };
}
