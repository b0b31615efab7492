import { workspace } from './workspace';

@inline function at(p: usize, i: i32): f32 { return load<f32>(p + (<usize>i << 2)); }
@inline function put(p: usize, i: i32, v: f32): void { store<f32>(p + (<usize>i << 2), v); }

/** Zeroed doubles: sums over many rows lose too much in float32. */
function doubles(count: i32): usize {
  const p = workspace(<usize>count << 3);
  memory.fill(p, 0, <usize>count << 3);
  return p;
}
@inline function addTo(p: usize, i: i32, v: f64): void { store<f64>(p + (<usize>i << 3), load<f64>(p + (<usize>i << 3)) + v); }
@inline function sumAt(p: usize, i: i32): f64 { return load<f64>(p + (<usize>i << 3)); }

export function channelMoments(x: usize, mean: usize, variance: usize, rows: i32, channels: i32): void {
  if (rows == 0) {
    memory.fill(mean, 0, <usize>channels << 2);
    memory.fill(variance, 0, <usize>channels << 2);
    return;
  }
  const sums = doubles(channels), squares = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) {
    const centred = <f64>at(x, i) - <f64>at(x, c);
    addTo(sums, c, centred);
    addTo(squares, c, centred * centred);
  }
  for (let c = 0; c < channels; c++) {
    const centre = sumAt(sums, c) / rows;
    put(mean, c, <f32>(<f64>at(x, c) + centre));
    put(variance, c, <f32>max<f64>(0, sumAt(squares, c) / rows - centre * centre));
  }
}

export function channelAffine(x: usize, scale: usize, shift: usize, residual: usize, low: f32, high: f32, y: usize, rows: i32, channels: i32, residualLength: i32): void {
  const bottom = f32x4.splat(low), top = f32x4.splat(high);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4, x += 16, y += 16) {
      const o = <usize>c << 2;
      let v = f32x4.add(f32x4.mul(v128.load(x), v128.load(scale + o)), v128.load(shift + o));
      if (residualLength > 0) { v = f32x4.add(v, v128.load(residual)); residual += 16; }
      v128.store(y, f32x4.min(f32x4.max(v, bottom), top));
    }
    for (; c < channels; c++, x += 4, y += 4) {
      let v = load<f32>(x) * at(scale, c) + at(shift, c);
      if (residualLength > 0) { v += load<f32>(residual); residual += 4; }
      store<f32>(y, v < low ? low : v > high ? high : v);
    }
  }
}

export function batchNormBackward(x: usize, dy: usize, mean: usize, invStd: usize, gamma: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, channels: i32): void {
  const sums = doubles(channels), dots = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) {
    addTo(sums, c, at(dy, i));
    addTo(dots, c, <f64>at(dy, i) * (<f64>at(x, i) - <f64>at(mean, c)) * <f64>at(invStd, c));
  }
  for (let c = 0; c < channels; c++) { put(dbeta, c, <f32>sumAt(sums, c)); put(dgamma, c, <f32>sumAt(dots, c)); }
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) {
    const normalised = (<f64>at(x, i) - <f64>at(mean, c)) * <f64>at(invStd, c);
    put(dx, i, <f32>(<f64>at(gamma, c) * <f64>at(invStd, c) * (<f64>at(dy, i) - sumAt(sums, c) / rows - normalised * sumAt(dots, c) / rows)));
  }
}

function finish(sums: usize, out: usize, channels: i32): void {
  for (let c = 0; c < channels; c++) put(out, c, <f32>sumAt(sums, c));
}

export function columnSums(x: usize, out: usize, rows: i32, channels: i32): void {
  const sums = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) addTo(sums, c, at(x, i));
  finish(sums, out, channels);
}

export function columnAbsSums(x: usize, out: usize, rows: i32, channels: i32): void {
  const sums = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) addTo(sums, c, abs(at(x, i)));
  finish(sums, out, channels);
}

export function columnDots(a: usize, b: usize, out: usize, rows: i32, channels: i32): void {
  const sums = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) addTo(sums, c, <f64>at(a, i) * <f64>at(b, i));
  finish(sums, out, channels);
}

export function rowAbsMeans(x: usize, out: usize, rows: i32, channels: i32): void {
  for (let r = 0; r < rows; r++) {
    let sum: f64 = 0;
    for (let c = 0; c < channels; c++, x += 4) sum += abs(load<f32>(x));
    put(out, r, <f32>(sum / channels));
  }
}

export function rowDots(a: usize, b: usize, out: usize, rows: i32, channels: i32): void {
  for (let r = 0; r < rows; r++) {
    let sum: f64 = 0;
    for (let c = 0; c < channels; c++, a += 4, b += 4) sum += <f64>load<f32>(a) * <f64>load<f32>(b);
    put(out, r, <f32>sum);
  }
}

export function rowScale(x: usize, factor: usize, y: usize, rows: i32, channels: i32): void {
  for (let r = 0; r < rows; r++) for (let c = 0; c < channels; c++, x += 4, y += 4) store<f32>(y, load<f32>(x) * at(factor, r));
}

export function prelu(x: usize, slope: usize, y: usize, rows: i32, channels: i32): void {
  for (let r = 0; r < rows; r++) for (let c = 0; c < channels; c++, x += 4, y += 4) {
    const v = load<f32>(x);
    store<f32>(y, v >= 0 ? v : v * at(slope, c));
  }
}

export function preluBackward(x: usize, slope: usize, dy: usize, dx: usize, dslope: usize, rows: i32, channels: i32): void {
  const sums = doubles(channels);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < channels; c++, i++) {
    const v = at(x, i), g = at(dy, i);
    if (v < 0) addTo(sums, c, <f64>v * <f64>g);
    put(dx, i, v >= 0 ? g : g * at(slope, c));
  }
  finish(sums, dslope, channels);
}
