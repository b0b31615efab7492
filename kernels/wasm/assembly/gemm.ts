import { workspace } from './workspace';

const rows = 6;
const columns = 8;
const depth = 256;
const rowSums = 4096;

// not relaxed_madd, which rounds once or twice as the machine likes: the same bits everywhere
@inline function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** tile[6][8] = a panel times b panel over k */
function microKernel(k: i32, a: usize, b: usize, tile: usize): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, b0 = zero, b1 = zero, c0 = zero, c1 = zero, d0 = zero, d1 = zero, e0 = zero, e1 = zero, f0 = zero, f1 = zero;
  for (let l = 0; l < k; l++, a += rows * 4, b += columns * 4) {
    const w0 = v128.load(b), w1 = v128.load(b, 16);
    let value = v128.load32_splat(a); a0 = multiplyAdd(value, w0, a0); a1 = multiplyAdd(value, w1, a1);
    value = v128.load32_splat(a, 4); b0 = multiplyAdd(value, w0, b0); b1 = multiplyAdd(value, w1, b1);
    value = v128.load32_splat(a, 8); c0 = multiplyAdd(value, w0, c0); c1 = multiplyAdd(value, w1, c1);
    value = v128.load32_splat(a, 12); d0 = multiplyAdd(value, w0, d0); d1 = multiplyAdd(value, w1, d1);
    value = v128.load32_splat(a, 16); e0 = multiplyAdd(value, w0, e0); e1 = multiplyAdd(value, w1, e1);
    value = v128.load32_splat(a, 20); f0 = multiplyAdd(value, w0, f0); f1 = multiplyAdd(value, w1, f1);
  }
  v128.store(tile, a0); v128.store(tile, a1, 16); v128.store(tile, b0, 32); v128.store(tile, b1, 48);
  v128.store(tile, c0, 64); v128.store(tile, c1, 80); v128.store(tile, d0, 96); v128.store(tile, d1, 112);
  v128.store(tile, e0, 128); v128.store(tile, e1, 144); v128.store(tile, f0, 160); v128.store(tile, f1, 176);
}

/** sums[j] += a[l]*b[l][j] for `deep` rows of b, one after the other; few enough sums to stay in L1 while b streams by. */
function addRows(deep: i32, a: usize, stepA: usize, b: usize, stepB: usize, sums: usize, n: i32): void {
  const whole = n & ~3;
  for (; deep >= 4; deep -= 4, a += 4 * stepA, b += 4 * stepB) {
    const v0 = v128.load32_splat(a), v1 = v128.load32_splat(a + stepA), v2 = v128.load32_splat(a + 2 * stepA), v3 = v128.load32_splat(a + 3 * stepA);
    const b1 = b + stepB, b2 = b1 + stepB, b3 = b2 + stepB;
    for (let at: usize = 0, end = <usize>whole << 2; at < end; at += 16) {
      let sum = multiplyAdd(v0, v128.load(b + at), v128.load(sums + at));
      sum = multiplyAdd(v1, v128.load(b1 + at), sum);
      sum = multiplyAdd(v2, v128.load(b2 + at), sum);
      v128.store(sums + at, multiplyAdd(v3, v128.load(b3 + at), sum));
    }
    addScalars(4, a, stepA, b, stepB, sums, whole, n);
  }
  for (; deep > 0; deep--, a += stepA, b += stepB) addScalars(1, a, stepA, b, stepB, sums, 0, n);
}

function addScalars(deep: i32, a: usize, stepA: usize, b: usize, stepB: usize, sums: usize, from: i32, to: i32): void {
  for (let j = from; j < to; j++) {
    const at = <usize>j << 2;
    let sum = load<f32>(sums + at);
    for (let l = 0; l < deep; l++) sum += load<f32>(a + <usize>l * stepA) * load<f32>(b + <usize>l * stepB + at);
    store<f32>(sums + at, sum);
  }
}

/** One row of c: b is read where it lies, which takes less than packing it. The sums are the micro-kernel's: from 0 in blocks of `depth`, block by block. */
function rowProduct(n: i32, k: i32, a: usize, stepA: usize, b: usize, stepB: usize, accumulate: bool, c: usize): void {
  const sums = workspace(<usize>min(rowSums, n) << 2);
  for (let j0 = 0; j0 < n; j0 += rowSums) {
    const wide = min(rowSums, n - j0), out = c + (<usize>j0 << 2);
    for (let l0 = 0; l0 < k; l0 += depth) {
      memory.fill(sums, 0, <usize>wide << 2);
      addRows(min(depth, k - l0), a + <usize>l0 * stepA, stepA, b + <usize>l0 * stepB + (<usize>j0 << 2), stepB, sums, wide);
      for (let j = 0; j < wide; j++) {
        const at = <usize>j << 2, sum = load<f32>(sums + at);
        store<f32>(out + at, accumulate || l0 > 0 ? load<f32>(out + at) + sum : sum);
      }
    }
  }
}

/** c[m,n] (row stride ldc) = op(a) op(b) (+ c); lda and ldb are the row strides of a and b as stored. */
export function product(transposeA: bool, transposeB: bool, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, accumulate: bool, c: usize, ldc: i32): void {
  if (m == 1 && !transposeB && k > 0) {
    rowProduct(n, k, a, transposeA ? <usize>lda << 2 : 4, b, <usize>ldb << 2, accumulate, c);
    return;
  }
  const panels = (n + columns - 1) / columns;
  const packedB = workspace(<usize>(panels * columns * min(depth, k)) << 2);
  const packedA = workspace(<usize>(rows * min(depth, k)) << 2);
  const tile = workspace(rows * columns * 4);
  if (k == 0 && !accumulate) for (let i = 0; i < m; i++) memory.fill(c + (<usize>(i * ldc) << 2), 0, <usize>n << 2);
  for (let l0 = 0; l0 < k; l0 += depth) {
    const deep = min(depth, k - l0);
    for (let j0 = 0; j0 < panels * columns; j0 += columns) {
      let to = packedB + (<usize>(j0 * deep) << 2);
      if (!transposeB && j0 + columns <= n) {
        let from = b + (<usize>(l0 * ldb + j0) << 2);
        for (let l = 0; l < deep; l++, from += <usize>ldb << 2, to += columns * 4) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        }
        continue;
      }
      for (let l = l0; l < l0 + deep; l++)
        for (let j = j0; j < j0 + columns; j++, to += 4) {
          const value = j < n ? load<f32>(b + (<usize>(transposeB ? j * ldb + l : l * ldb + j) << 2)) : 0;
          store<f32>(to, value);
        }
    }
    const add = accumulate || l0 > 0;
    for (let i0 = 0; i0 < m; i0 += rows) {
      let to = packedA;
      for (let l = l0; l < l0 + deep; l++)
        for (let i = i0; i < i0 + rows; i++, to += 4) {
          const value = i < m ? load<f32>(a + (<usize>(transposeA ? l * lda + i : i * lda + l) << 2)) : 0;
          store<f32>(to, value);
        }
      for (let p = 0; p < panels; p++) {
        microKernel(deep, packedA, packedB + (<usize>(p * columns * deep) << 2), tile);
        const tall = min(rows, m - i0), wide = min(columns, n - p * columns);
        for (let i = 0; i < tall; i++) {
          const out = c + (<usize>((i0 + i) * ldc + p * columns) << 2);
          const from = tile + <usize>(i * columns * 4);
          for (let j = 0; j < wide; j++) {
            const at = <usize>j << 2;
            store<f32>(out + at, add ? load<f32>(out + at) + load<f32>(from + at) : load<f32>(from + at));
          }
        }
      }
    }
  }
}

export function sgemm(transposeA: i32, transposeB: i32, m: i32, n: i32, k: i32, a: usize, b: usize, accumulate: i32, c: usize): void {
  if (m == 0 || n == 0) return;
  product(transposeA != 0, transposeB != 0, m, n, k, a, transposeA ? m : k, b, transposeB ? k : n, accumulate != 0, c, n);
}
