/** y = x - beta[n] sign(x), the same in training and in packed networks; the images are equal parts of the arrays. */
export function subtractSigns(x: Float32Array, beta: Float32Array, y: Float32Array, samples: number): void {
  const perSample = y.length / samples;
  for (let n = 0; n < samples; n++) {
    const step = beta[n]!;
    for (let i = n * perSample; i < (n + 1) * perSample; i++) y[i] = x[i]! < 0 ? x[i]! + step : x[i]! - step;
  }
}

/** y[n,p,c] = x[n,p,c] gate[n,c] */
export function scaleChannels(
  x: Float32Array,
  gate: Float32Array,
  y: Float32Array,
  samples: number,
  channels: number,
): void {
  const pixels = y.length / (samples * channels);
  for (let n = 0, at = 0; n < samples; n++)
    for (let p = 0; p < pixels; p++) for (let c = 0; c < channels; c++, at++) y[at] = x[at]! * gate[n * channels + c]!;
}
