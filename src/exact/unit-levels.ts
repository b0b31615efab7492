/** What becomes of a value half-way between two codes: the even one, as in IEEE 754 and the references, or the upper one, as it was at first. */
export type Ties = 'even' | 'up';

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** round(r (2^k - 1)) for r in [0,1]; to even of the float32 product, so that the codes are those of float32 programs. */
export function unitCode(value: number, bits: number, ties: Ties = 'even'): number {
  const levels = 2 ** bits - 1;
  return ties === 'up' ? Math.round(value * levels) : roundToEven(Math.fround(value * levels));
}

/** round(r (2^k - 1))/(2^k - 1) for r in [0,1]. Source: Zhou 2016 (DoReFa), eq. 5. */
export const quantizeUnit = (value: number, bits: number, ties?: Ties): number =>
  unitCode(value, bits, ties) / (2 ** bits - 1);

/** out = quantize_k(clip(x, 0, 1)): the 2^bits levels of DoReFa activations, the same in training and in packed networks. */
export function unitLevels(x: Float32Array, bits: number, out: Float32Array, ties?: Ties): void {
  for (let i = 0; i < out.length; i++) out[i] = quantizeUnit(Math.min(1, Math.max(0, x[i]!)), bits, ties);
}
