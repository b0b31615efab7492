/**
 * Seeded random numbers (xoshiro128**, Blackman and Vigna 2018), the only source of randomness in Signum, so that a seed
 * fixes a run. The state is four 32-bit words and can be stored in a checkpoint.
 */
export class Random {
  private readonly words = new Uint32Array(4);

  constructor(seed: number) {
    // splitmix32 spreads a small seed over the whole state; an all-zero state would never leave zero.
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let word = mixed;
      word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      this.words[i] = (word ^ (word >>> 16)) >>> 0;
    }
  }

  /** The four words that determine all numbers to come. */
  get state(): number[] {
    return [...this.words];
  }

  /** Continues where a generator with these words was. */
  set state(words: readonly number[]) {
    this.words.set(words);
  }

  /** A 32-bit unsigned integer. */
  nextUint32(): number {
    const s = this.words;
    const scrambled = Math.imul(s[1]!, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.nextUint32() / 4294967296);
  }

  /** Uniform integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal (Box-Muller; the second value is not kept, so the state stays four words). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Gamma distributed with scale 1 (Marsaglia and Tsang 2000). @param shape above 0 */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Beta distributed on [0,1], from two gamma numbers. Both parameters above 0. */
  beta(a: number, b: number): number {
    const [x, y] = [this.gamma(a), this.gamma(b)];
    // both are nothing where the shape is tiny: then almost all of the distribution lies at its ends
    return x + y > 0 ? x / (x + y) : Number(this.uniform() < a / (a + b));
  }

  /** A permutation of 0..length-1 (Fisher-Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }

  /** Normally distributed values. */
  fillNormal(target: Float32Array, mean: number, std: number): void {
    for (let i = 0; i < target.length; i++) target[i] = mean + std * this.normal();
  }

  /** Many at once: the same numbers as one by one, the state kept in registers. */
  fillUniform(target: Float32Array, low: number, high: number): void {
    let [a = 0, b = 0, c = 0, d = 0] = this.words;
    for (let i = 0; i < target.length; i++) {
      const scrambled = Math.imul(b, 5);
      const number = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
      target[i] = low + (high - low) * (number / 4294967296);
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
    }
    this.words.set([a, b, c, d]);
  }

  /** An independent generator derived from this one and a label, leaving this one's state untouched. */
  fork(label: number): Random {
    return new Random((this.words[0]! ^ Math.imul(label + 1, 0x9e3779b1)) >>> 0);
  }
}
