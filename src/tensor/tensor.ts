import { kernels } from '../backend/select.ts';
import { wordsPerRow } from '../core/bits.ts';
import { ShapeError } from '../core/errors.ts';
import { channelsOf, formatShape, type Shape, sizeOf } from '../core/shape.ts';
import { floats, release } from './storage.ts';

/** Values with a shape, and, while a tape records, a gradient. Row-major; images are [N,H,W,C]. */
export class Tensor {
  readonly shape: Shape;
  /** Gradients flow to (or through) this tensor. */
  requiresGrad: boolean;
  /** Set by `backward`; lives until the surrounding training step ends. */
  grad: Float32Array | null = null;
  protected values: Float32Array | null;

  constructor(values: Float32Array | null, shape: Shape, requiresGrad = false) {
    if (values && values.length !== sizeOf(shape)) {
      throw new ShapeError(
        `a tensor of shape ${formatShape(shape)} needs ${sizeOf(shape)} values, got ${values.length}`,
      );
    }
    this.values = values;
    this.shape = shape;
    this.requiresGrad = requiresGrad;
  }

  /** How many values it holds. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Extent of the last axis. */
  get channels(): number {
    return channelsOf(this.shape);
  }

  /** Product of all other axes. */
  get rows(): number {
    return this.channels === 0 ? 0 : this.size / this.channels;
  }

  /** The values, as floats. */
  get data(): Float32Array {
    return this.values!;
  }

  /** The array backing this tensor if it has one: a sign tensor may hold bits only, a discarded one nothing. */
  get storage(): Float32Array | null {
    return this.values;
  }

  /** Forgets the values, keeping shape and gradient; see `discard` in the tape. */
  dropStorage(): void {
    this.values = null;
  }
}

/** Activations in {-1,+1}, held as one bit each, packed along the last axis. */
export class SignTensor extends Tensor {
  readonly words: Uint32Array;

  constructor(words: Uint32Array, shape: Shape, requiresGrad = false) {
    super(null, shape, requiresGrad);
    if (words.length !== this.rows * wordsPerRow(this.channels)) {
      throw new ShapeError(
        `signs of shape ${formatShape(shape)} need ${this.rows * wordsPerRow(this.channels)} words, got ${words.length}`,
      );
    }
    this.words = words;
  }

  /** The signs as floats; unpacked on first use. */
  override get data(): Float32Array {
    if (this.values === null) {
      this.values = floats(this.size);
      kernels().unpackSigns(this.words, this.values, this.rows, this.channels);
    }
    return this.values;
  }
}

/** Activations step*q with codes q of 0..2^k-1, held as k packed bit-planes of q, lowest first. */
export class PlaneTensor extends Tensor {
  readonly planes: readonly Uint32Array[];
  readonly step: number;

  constructor(planes: readonly Uint32Array[], step: number, shape: Shape) {
    super(null, shape);
    this.planes = planes;
    this.step = step;
  }

  /** The levels as floats; decoded on first use. */
  override get data(): Float32Array {
    if (this.values === null) {
      // a bit is stored as the sign -1, so that q is the sum of 2^p (1 - s)/2: halves, which floats add exactly
      const values = floats(this.size).fill((2 ** this.planes.length - 1) / 2);
      const signs = floats(this.size);
      for (const [p, plane] of this.planes.entries()) {
        kernels().unpackSigns(plane, signs, this.rows, this.channels);
        kernels().blend(signs, -(2 ** p) / 2, 1, values);
      }
      release(signs);
      const { step } = this;
      for (let i = 0; i < values.length; i++) values[i]! *= step;
      this.values = values;
    }
    return this.values;
  }
}

/**
 * A filter [KH,KW,Cin,Cout] in {-alpha,+alpha}: signs as bits [Cout, KH*KW, words(Cin)] and one scale per output channel.
 * Its gradient is that of the effective float weights alpha*sign.
 */
export class SignFilter extends Tensor {
  readonly words: Uint32Array;
  readonly scale: Float32Array;

  constructor(words: Uint32Array, scale: Float32Array, shape: Shape, requiresGrad = false) {
    super(null, shape, requiresGrad);
    this.words = words;
    this.scale = scale;
  }

  /** alpha*sign as floats; unpacked on first use. */
  override get data(): Float32Array {
    if (this.values === null) {
      const [outputs, inputs] = [this.channels, this.shape[2] ?? 0];
      const signs = floats(this.size);
      kernels().unpackSigns(this.words, signs, this.size / inputs, inputs);
      this.values = floats(this.size);
      const reach = this.rows;
      for (let c = 0; c < outputs; c++)
        for (let i = 0; i < reach; i++) this.values[i * outputs + c] = signs[c * reach + i]! * this.scale[c]!;
      release(signs);
    }
    return this.values;
  }
}

/** A float filter whose values are whole codes times a factor per output channel: a file holds the codes. */
export class CodedFilter extends Tensor {
  readonly codes: Int8Array;
  readonly scale: Float32Array;

  constructor(codes: Int8Array, scale: Float32Array, values: Float32Array, shape: Shape) {
    super(values, shape);
    this.codes = codes;
    this.scale = scale;
  }
}
