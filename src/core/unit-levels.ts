/** round(r (2^k - 1))/(2^k - 1) for r in [0,1]. Source: Zhou 2016 (DoReFa), eq. 5. */
export function quantizeUnit(value: number, bits: number): number {
  const levels = 2 ** bits - 1;
  return Math.round(value * levels) / levels;
}

/** out = quantize_k(clip(x, 0, 1)): the 2^bits levels of DoReFa activations, the same in training and in packed networks. */
export function unitLevels(x: Float32Array, bits: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = quantizeUnit(Math.min(1, Math.max(0, x[i]!)), bits);
}
