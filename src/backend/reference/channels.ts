/** Reductions and maps along rows or channels of a [rows, channels] matrix; sums are float64, which defines the exact result. */

export function channelMoments(
  x: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
  rows: number,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += x[r * channels + c]!;
    const centre = sum / Math.max(1, rows);
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += (x[r * channels + c]! - centre) ** 2;
    mean[c] = centre;
    variance[c] = squares / Math.max(1, rows);
  }
}

export function channelAffine(
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  residual: Float32Array,
  low: number,
  high: number,
  y: Float32Array,
  rows: number,
  channels: number,
): void {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  for (let i = 0; i < rows * channels; i++) {
    const c = i % channels;
    let value = Math.fround(Math.fround(x[i]! * scale[c]!) + shift[c]!);
    if (residual.length > 0) value = Math.fround(value + residual[i]!);
    y[i] = value < bottom ? bottom : Math.min(value, top);
  }
}

export function batchNormBackward(
  x: Float32Array,
  dy: Float32Array,
  mean: Float32Array,
  invStd: Float32Array,
  gamma: Float32Array,
  dx: Float32Array,
  dgamma: Float32Array,
  dbeta: Float32Array,
  rows: number,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    let dot = 0;
    for (let r = 0; r < rows; r++) {
      const i = r * channels + c;
      sum += dy[i]!;
      dot += dy[i]! * (x[i]! - mean[c]!) * invStd[c]!;
    }
    dbeta[c] = sum;
    dgamma[c] = dot;
    for (let r = 0; r < rows; r++) {
      const i = r * channels + c;
      const normalised = (x[i]! - mean[c]!) * invStd[c]!;
      dx[i] = gamma[c]! * invStd[c]! * (dy[i]! - sum / rows - (normalised * dot) / rows);
    }
  }
}

function columnReduce(out: Float32Array, rows: number, channels: number, term: (index: number) => number): void {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += term(r * channels + c);
    out[c] = sum;
  }
}

export function columnSums(x: Float32Array, out: Float32Array, rows: number, channels: number): void {
  columnReduce(out, rows, channels, (i) => x[i]!);
}

export function columnAbsSums(x: Float32Array, out: Float32Array, rows: number, channels: number): void {
  columnReduce(out, rows, channels, (i) => Math.abs(x[i]!));
}

export function columnDots(a: Float32Array, b: Float32Array, out: Float32Array, rows: number, channels: number): void {
  columnReduce(out, rows, channels, (i) => a[i]! * b[i]!);
}

export function rowAbsMeans(x: Float32Array, out: Float32Array, rows: number, channels: number): void {
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.abs(x[r * channels + c]!);
    out[r] = sum / channels;
  }
}

export function rowScale(x: Float32Array, factor: Float32Array, y: Float32Array, rows: number, channels: number): void {
  for (let i = 0; i < rows * channels; i++) y[i] = x[i]! * factor[Math.floor(i / channels)]!;
}

export function rowDots(a: Float32Array, b: Float32Array, out: Float32Array, rows: number, channels: number): void {
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += a[r * channels + c]! * b[r * channels + c]!;
    out[r] = sum;
  }
}
