import type { BlockCopy } from '../core/block-copy.ts';
import type { ConvGeometry, PoolGeometry } from '../core/conv-geometry.ts';

/** Element-wise functions with a derivative; the estimators among them are only used backwards (their forward is sign). */
export const unaryOps = [
  'relu',
  'hardtanh',
  'sigmoid',
  'tanh',
  'softsign',
  'clip-ste',
  'triangle',
  'tanh-ste',
  'tanh-within',
  'softsign-ste',
  'swish-sign',
] as const;
export type UnaryOp = (typeof unaryOps)[number];

/** How the border of a binary convolution is filled: `zero` taps do not count at all, `one` taps count as +1. */
export type BinaryPadding = 'zero' | 'one';

/**
 * The kernels of Signum: plain functions over typed arrays, each with three implementations (reference, wasm, native) that agree bit
 * for bit on integers, element-wise ops and sums along rows, columns and windows (`reference/sums.ts`), and within 1e-4 relative on matrix
 * products and convolutions of floats. Those have the same bits on every native instruction set and number of threads. Matrices are row-major; images are
 * [N,H,W,C]; float filters are [KH,KW,Cin/groups,Cout]; packed signs follow `core/bits.ts`. Outputs are overwritten unless the
 * description says accumulate. `rows` x `channels` describes a tensor by its last axis. Arrays may be longer than needed.
 */
export interface Kernels {
  readonly name: 'reference' | 'wasm' | 'native';
  /** Instruction set in use, for reports: `avx2`, `wasm-simd128`, `typescript`... */
  readonly detail: string;

  /** c[m,n] = op(a) op(b) (+ c when accumulate); a is [m,k] or, transposed, [k,m]; b is [k,n] or [n,k]. */
  sgemm(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    b: Float32Array,
    accumulate: boolean,
    c: Float32Array,
  ): void;
  conv2d(x: Float32Array, filter: Float32Array, y: Float32Array, g: ConvGeometry): void;
  conv2dBackwardInput(dy: Float32Array, filter: Float32Array, dx: Float32Array, g: ConvGeometry): void;
  conv2dBackwardFilter(x: Float32Array, dy: Float32Array, dfilter: Float32Array, g: ConvGeometry): void;

  /** Bit = 1 where x < 0 (sign(0) = +1; NaN packs as +1). words: [rows, wordsPerRow(channels)]. */
  packSigns(x: Float32Array, words: Uint32Array, rows: number, channels: number): void;
  /** Bit = 1 where x*scale[c] + shift[c] < 0: the sign of a batch-norm, each operation rounded to float32. */
  packAffineSigns(
    x: Float32Array,
    scale: Float32Array,
    shift: Float32Array,
    words: Uint32Array,
    rows: number,
    channels: number,
  ): void;
  /** Bit = 1 where low <= x <= high. */
  packWithin(x: Float32Array, low: number, high: number, words: Uint32Array, rows: number, channels: number): void;
  /** y = -1 where the bit is 1, else +1. */
  unpackSigns(words: Uint32Array, y: Float32Array, rows: number, channels: number): void;
  /** dx = dy where the bit is 1, else 0. */
  maskBits(dy: Float32Array, words: Uint32Array, dx: Float32Array, rows: number, channels: number): void;
  /** Signs of a float filter [taps, inChannels, outChannels] as [outChannels, taps, wordsPerRow(inChannels)]. */
  packFilterSigns(w: Float32Array, words: Uint32Array, taps: number, inChannels: number, outChannels: number): void;
  /** Length of a prepared filter. */
  preparedFilterWords(g: ConvGeometry): number;
  /** Re-lays a packed filter [Cout, taps, words] for this backend's convolution. The result is opaque and backend-bound. */
  prepareXnorFilter(words: Uint32Array, prepared: Uint32Array, g: ConvGeometry): void;
  /** out[m,n] = sum of products of signs; a [m, wordsPerRow(k)], b [n, wordsPerRow(k)]. */
  xnorGemm(a: Uint32Array, b: Uint32Array, out: Int32Array, m: number, n: number, k: number): void;
  /** Integer dot products [N,OH,OW,Cout]. */
  xnorConv2d(x: Uint32Array, filter: Uint32Array, out: Int32Array, g: ConvGeometry, padding: BinaryPadding): void;
  /** out = dot*alpha[c], then, if scale is not empty, *scale[c] + shift[c], each operation rounded to float32. */
  xnorConv2dScaled(
    x: Uint32Array,
    filter: Uint32Array,
    alpha: Float32Array,
    scale: Float32Array,
    shift: Float32Array,
    out: Float32Array,
    g: ConvGeometry,
    padding: BinaryPadding,
  ): void;
  /** Output bit = 1 (i.e. -1) where dot < threshold[c], or, where flip[c] is 1, dot > threshold[c]. out: [N,OH,OW,words(Cout)]. */
  xnorConv2dThreshold(
    x: Uint32Array,
    filter: Uint32Array,
    threshold: Int32Array,
    flip: Int32Array,
    out: Uint32Array,
    g: ConvGeometry,
    padding: BinaryPadding,
  ): void;
  /** Convolution of floats by the filter alpha[c]*sign; filter: packed signs [Cout, taps, wordsPerRow(Cin/groups)]. */
  conv2dSigns(x: Float32Array, filter: Uint32Array, alpha: Float32Array, y: Float32Array, g: ConvGeometry): void;
  /** Input gradient of a convolution by the filter alpha[c]*sign; filter as in `conv2dSigns`. */
  conv2dBackwardInputSigns(
    dy: Float32Array,
    filter: Uint32Array,
    alpha: Float32Array,
    dx: Float32Array,
    g: ConvGeometry,
  ): void;
  /** Filter gradient of a convolution whose input is packed signs; `one` padding contributes +1 taps. */
  conv2dBackwardFilterSigns(
    x: Uint32Array,
    dy: Float32Array,
    dfilter: Float32Array,
    g: ConvGeometry,
    padding: BinaryPadding,
  ): void;

  /** Mean and biased variance per channel; both 0 where there are no rows. */
  channelMoments(x: Float32Array, mean: Float32Array, variance: Float32Array, rows: number, channels: number): void;
  /** y = clamp(x*scale[c] + shift[c] + residual, low, high); an empty residual adds nothing. */
  channelAffine(
    x: Float32Array,
    scale: Float32Array,
    shift: Float32Array,
    residual: Float32Array,
    low: number,
    high: number,
    y: Float32Array,
    rows: number,
    channels: number,
  ): void;
  /**
   * Gradients of y = clamp(normalised x + residual, low, high) with batch statistics (Ioffe and Szegedy 2015). What arrives is
   * g = direct + sloped*slope'(y), as in `unaryBackward`, where low < y < high, else 0: the residual's gradient too. An empty `direct` or
   * `sloped` adds nothing; y may be empty where there is neither clamp nor `sloped`. g may be `direct` or `sloped`, dx any of the three.
   */
  batchNormBackward(
    x: Float32Array,
    y: Float32Array,
    direct: Float32Array,
    sloped: Float32Array,
    slope: UnaryOp,
    p0: number,
    p1: number,
    low: number,
    high: number,
    mean: Float32Array,
    invStd: Float32Array,
    gamma: Float32Array,
    g: Float32Array,
    dx: Float32Array,
    dgamma: Float32Array,
    dbeta: Float32Array,
    rows: number,
    channels: number,
  ): void;
  columnSums(x: Float32Array, out: Float32Array, rows: number, channels: number): void;
  columnAbsSums(x: Float32Array, out: Float32Array, rows: number, channels: number): void;
  /** out[c] = sum over rows of a*b. */
  columnDots(a: Float32Array, b: Float32Array, out: Float32Array, rows: number, channels: number): void;
  /** out[r] = mean over channels of |x|. */
  rowAbsMeans(x: Float32Array, out: Float32Array, rows: number, channels: number): void;
  /** y[r,c] = x[r,c]*factor[r]. */
  rowScale(x: Float32Array, factor: Float32Array, y: Float32Array, rows: number, channels: number): void;
  /** out[r] = sum over channels of a*b. */
  rowDots(a: Float32Array, b: Float32Array, out: Float32Array, rows: number, channels: number): void;

  /** Copies runs of x into y, whose other values stay. */
  copyBlocks(x: Float32Array, y: Float32Array, g: BlockCopy): void;

  /** indices: offset of the chosen element in x, for the backward pass; ties take the first. */
  maxPool(x: Float32Array, y: Float32Array, indices: Int32Array, g: PoolGeometry): void;
  maxPoolBackward(dy: Float32Array, indices: Int32Array, dx: Float32Array, g: PoolGeometry): void;
  /** Mean over the part of the window inside the image. */
  avgPool(x: Float32Array, y: Float32Array, g: PoolGeometry): void;
  avgPoolBackward(dy: Float32Array, dx: Float32Array, g: PoolGeometry): void;

  unary(op: UnaryOp, x: Float32Array, y: Float32Array): void;
  /**
   * dx = dy * op'(x); dx may be dy. `clip-ste`: 1 where |x| <= p0 · `triangle`: max(0, p0 - p1|x|) · `tanh-ste`: p1*p0*(1 - tanh(p0*x)^2) · `tanh-within`: the same
   * where |x| <= 1, else 0 · `softsign-ste`: p0/(1 + p0|x|)^2 · `swish-sign`: p0 is beta.
   */
  unaryBackward(op: UnaryOp, x: Float32Array, dy: Float32Array, dx: Float32Array, p0: number, p1: number): void;
  /** dx = dy where low < y < high, else 0: the gradient of a clamp, from its output. */
  maskWithin(dy: Float32Array, y: Float32Array, low: number, high: number, dx: Float32Array): void;
  prelu(x: Float32Array, slope: Float32Array, y: Float32Array, rows: number, channels: number): void;
  /** dx may be dy. */
  preluBackward(
    x: Float32Array,
    slope: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    dslope: Float32Array,
    rows: number,
    channels: number,
  ): void;
  add(a: Float32Array, b: Float32Array, y: Float32Array): void;
  multiply(a: Float32Array, b: Float32Array, y: Float32Array): void;
  /** y = factor*x + keep*y. */
  blend(x: Float32Array, factor: number, keep: number, y: Float32Array): void;
  /** In place. */
  clamp(x: Float32Array, low: number, high: number): void;

  sgdStep(
    w: Float32Array,
    g: Float32Array,
    velocity: Float32Array,
    rate: number,
    momentum: number,
    weightDecay: number,
    nesterov: boolean,
  ): void;
  /** correction1 = 1 - beta1^t, correction2 = 1 - beta2^t (Kingma and Ba 2015, alg. 1). */
  adamStep(
    w: Float32Array,
    g: Float32Array,
    m: Float32Array,
    v: Float32Array,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    correction1: number,
    correction2: number,
  ): void;
  /** v is the exponentially weighted infinity norm (Kingma and Ba 2015, alg. 2). */
  adamaxStep(
    w: Float32Array,
    g: Float32Array,
    m: Float32Array,
    v: Float32Array,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    correction1: number,
  ): void;
  rmspropStep(
    w: Float32Array,
    g: Float32Array,
    v: Float32Array,
    rate: number,
    decay: number,
    epsilon: number,
    weightDecay: number,
  ): void;
}
