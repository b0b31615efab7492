import { add, maskWithin, unaryBackward } from './elementwise';
import { workspace } from './workspace';

@inline function at(p: usize, i: i32): f32 { return load<f32>(p + (<usize>i << 2)); }
@inline function put(p: usize, i: i32, v: f32): void { store<f32>(p + (<usize>i << 2), v); }
@inline function raise(p: usize, i: i32, v: f32): void { put(p, i, at(p, i) + v); }
@inline function raise4(p: usize, v: v128): void { v128.store(p, f32x4.add(v128.load(p), v)); }

// Every sum has one order on all backends (src/backend/reference/sums.ts): rows in up to 32 chunks, each summed in float32 row by row,
// chunks in float64.
@inline function chunksOf(rows: i32): i32 { return max(1, min(32, rows / 64)); }
@inline function firstRow(rows: i32, chunk: i32, chunks: i32): i32 { return <i32>(<u64>rows * <u64>chunk / <u64>chunks); }

let totals: usize = 0, part: usize = 0, width = 0;

function beginSums(count: i32): void {
  width = count;
  totals = workspace(<usize>count << 3);
  part = workspace(<usize>count << 2);
  memory.fill(totals, 0, <usize>count << 3);
  memory.fill(part, 0, <usize>count << 2);
}
/** Ends a chunk. */
function addPart(): void {
  for (let i = 0; i < width; i++) {
    const to = totals + (<usize>i << 3);
    store<f64>(to, load<f64>(to) + <f64>at(part, i));
  }
  memory.fill(part, 0, <usize>width << 2);
}
@inline function total(i: i32): f64 { return load<f64>(totals + (<usize>i << 3)); }

export function channelMoments(x: usize, mean: usize, variance: usize, rows: i32, channels: i32): void {
  if (rows == 0) {
    memory.fill(mean, 0, <usize>channels << 2);
    memory.fill(variance, 0, <usize>channels << 2);
    return;
  }
  beginSums(2 * channels);
  const squares = part + (<usize>channels << 2), chunks = chunksOf(rows), pivot = x;
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let r = firstRow(rows, chunk, chunks), end = firstRow(rows, chunk + 1, chunks); r < end; r++) {
      const row = x + (<usize>r * channels << 2);
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const o = <usize>c << 2, centred = f32x4.sub(v128.load(row + o), v128.load(pivot + o));
        raise4(part + o, centred);
        raise4(squares + o, f32x4.mul(centred, centred));
      }
      for (; c < channels; c++) {
        const centred = at(row, c) - at(pivot, c);
        raise(part, c, centred);
        raise(squares, c, centred * centred);
      }
    }
    addPart();
  }
  for (let c = 0; c < channels; c++) {
    const centre = total(c) / rows, second = total(channels + c) / rows - centre * centre;
    put(mean, c, <f32>(<f64>at(pivot, c) + centre));
    put(variance, c, <f32>(second > 0 ? second : 0));
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
      v128.store(y, f32x4.pmin(f32x4.pmax(v, bottom), top));
    }
    for (; c < channels; c++, x += 4, y += 4) {
      let v = load<f32>(x) * at(scale, c) + at(shift, c);
      if (residualLength > 0) { v += load<f32>(residual); residual += 4; }
      store<f32>(y, v < low ? low : v > high ? high : v);
    }
  }
}

/** `terms`: bit 0 for direct, bit 1 for sloped. */
export function batchNormBackward(x: usize, y: usize, direct: usize, sloped: usize, op: i32, p0: f32, p1: f32, low: f32, high: f32, mean: usize, invStd: usize, gamma: usize, g: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, channels: i32, terms: i32): void {
  arriving(y, direct, sloped, op, p0, p1, low, high, g, rows * channels, terms);
  beginSums(2 * channels);
  const dots = part + (<usize>channels << 2), chunks = chunksOf(rows);
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let r = firstRow(rows, chunk, chunks), end = firstRow(rows, chunk + 1, chunks); r < end; r++) {
      const row = <usize>r * channels << 2;
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const o = <usize>c << 2, v = v128.load(g + row + o);
        raise4(part + o, v);
        raise4(dots + o, f32x4.mul(v, f32x4.sub(v128.load(x + row + o), v128.load(mean + o))));
      }
      for (; c < channels; c++) {
        const v = at(g + row, c);
        raise(part, c, v);
        raise(dots, c, v * (at(x + row, c) - at(mean, c)));
      }
    }
    addPart();
  }
  // dx = gamma*invStd*(g - sum/n - (x-mean)*invStd^2*dot/n) = a*g + b*(x-mean) + d
  const a = workspace(<usize>channels << 2), b = workspace(<usize>channels << 2), d = workspace(<usize>channels << 2);
  for (let c = 0; c < channels; c++) {
    const inverse = <f64>at(invStd, c), scale = <f64>at(gamma, c) * inverse, sum = total(c), dot = total(channels + c);
    put(dbeta, c, <f32>sum);
    put(dgamma, c, <f32>(dot * inverse));
    put(a, c, <f32>scale);
    put(b, c, <f32>(-scale * inverse * inverse * dot / rows));
    put(d, c, <f32>(-scale * sum / rows));
  }
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4, x += 16, g += 16, dx += 16) {
      const o = <usize>c << 2, centred = f32x4.mul(v128.load(b + o), f32x4.sub(v128.load(x), v128.load(mean + o)));
      v128.store(dx, f32x4.add(f32x4.add(f32x4.mul(v128.load(a + o), v128.load(g)), centred), v128.load(d + o)));
    }
    for (; c < channels; c++, x += 4, g += 4, dx += 4)
      store<f32>(dx, at(a, c) * load<f32>(g) + at(b, c) * (load<f32>(x) - at(mean, c)) + at(d, c));
  }
}

/** g = direct + sloped * slope'(y) where low < y < high, else 0. */
function arriving(y: usize, direct: usize, sloped: usize, op: i32, p0: f32, p1: f32, low: f32, high: f32, g: usize, n: i32, terms: i32): void {
  if (terms & 2) {
    unaryBackward(op, y, sloped, g, p0, p1, n);
    if (terms & 1) add(direct, g, g, n);
  } else memory.copy(g, direct, <usize>n << 2);
  if (low > -Infinity || high < Infinity) maskWithin(g, y, low, high, g, n);
}

const plain = 0, absolute = 1, product = 2;

@inline function term(kind: i32, a: usize, b: usize): f32 {
  const value = load<f32>(a);
  if (kind == absolute) return abs(value);
  return kind == product ? value * load<f32>(b) : value;
}
@inline function term4(kind: i32, a: usize, b: usize): v128 {
  const value = v128.load(a);
  if (kind == absolute) return f32x4.abs(value);
  return kind == product ? f32x4.mul(value, v128.load(b)) : value;
}

@inline function reduceColumns(kind: i32, a: usize, b: usize, out: usize, rows: i32, channels: i32): void {
  beginSums(channels);
  const chunks = chunksOf(rows);
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let r = firstRow(rows, chunk, chunks), end = firstRow(rows, chunk + 1, chunks); r < end; r++) {
      let o: usize = 0, at = <usize>r * channels << 2;
      const last = <usize>channels << 2;
      for (; o + 16 <= last; o += 16, at += 16) raise4(part + o, term4(kind, a + at, b + at));
      for (; o < last; o += 4, at += 4) store<f32>(part + o, load<f32>(part + o) + term(kind, a + at, b + at));
    }
    addPart();
  }
  for (let c = 0; c < channels; c++) put(out, c, <f32>total(c));
}

/** A row is summed by 16 lanes, lane i over every 16th value from i on; then halves are folded upon each other. */
@inline function reduceRows(kind: i32, a: usize, b: usize, out: usize, rows: i32, channels: i32): void {
  const lanes = workspace(64);
  for (let r = 0; r < rows; r++) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, c = 0;
    for (; c + 16 <= channels; c += 16, a += 64, b += 64) {
      s0 = f32x4.add(s0, term4(kind, a, b));
      s1 = f32x4.add(s1, term4(kind, a + 16, b + 16));
      s2 = f32x4.add(s2, term4(kind, a + 32, b + 32));
      s3 = f32x4.add(s3, term4(kind, a + 48, b + 48));
    }
    v128.store(lanes, s0); v128.store(lanes, s1, 16); v128.store(lanes, s2, 32); v128.store(lanes, s3, 48);
    for (let i = 0; c < channels; c++, i++, a += 4, b += 4) raise(lanes, i, term(kind, a, b));
    for (let half = 8; half > 0; half >>= 1)
      for (let i = 0; i < half; i++) raise(lanes, i, at(lanes, i + half));
    put(out, r, at(lanes, 0));
  }
}

export function columnSums(x: usize, out: usize, rows: i32, channels: i32): void { reduceColumns(plain, x, x, out, rows, channels); }
export function columnAbsSums(x: usize, out: usize, rows: i32, channels: i32): void { reduceColumns(absolute, x, x, out, rows, channels); }
export function columnDots(a: usize, b: usize, out: usize, rows: i32, channels: i32): void { reduceColumns(product, a, b, out, rows, channels); }

export function rowAbsMeans(x: usize, out: usize, rows: i32, channels: i32): void {
  reduceRows(absolute, x, x, out, rows, channels);
  for (let r = 0; r < rows; r++) put(out, r, at(out, r) / <f32>channels);
}

export function rowDots(a: usize, b: usize, out: usize, rows: i32, channels: i32): void { reduceRows(product, a, b, out, rows, channels); }

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
  beginSums(channels);
  const chunks = chunksOf(rows);
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let r = firstRow(rows, chunk, chunks), end = firstRow(rows, chunk + 1, chunks); r < end; r++)
      for (let c = 0; c < channels; c++, x += 4, dy += 4, dx += 4) {
        const v = load<f32>(x), g = load<f32>(dy);
        if (v < 0) raise(part, c, v * g);
        store<f32>(dx, v >= 0 ? g : g * at(slope, c));
      }
    addPart();
  }
  for (let c = 0; c < channels; c++) put(dslope, c, <f32>total(c));
}
