/** y = x - beta[n] sign(x), the same in training and in packed networks; the images are equal parts of the arrays. */
export function subtractSigns(x: Float32Array, beta: Float32Array, y: Float32Array, samples: number): void {
  const perSample = y.length / samples;
  for (let n = 0; n < samples; n++) {
    const step = beta[n]!;
    for (let i = n * perSample; i < (n + 1) * perSample; i++) y[i] = x[i]! < 0 ? x[i]! + step : x[i]! - step;
  }
}
