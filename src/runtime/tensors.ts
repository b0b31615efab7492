import { dtypeOf } from '../core/dtypes.ts';
import { FormatError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import type { StoredTensor } from '../core/safetensors.ts';
import { loosen, tightBytes } from '../core/tight-bits.ts';

/** Stored codes are bytes: the code plus this. */
export const codeOffset = 128;

/** What was read of the tensors. */
export interface TensorCount {
  readonly numbers: number;
  /** In the file. */
  readonly storedBytes: number;
}

/** Checked access to the tensors of a model file. */
export class ModelTensors {
  private readonly stored: ReadonlyMap<string, StoredTensor>;
  /** Names of those found finite. */
  private readonly finite = new Set<string>();
  private numbers = 0;
  private storedBytes = 0;

  constructor(stored: ReadonlyMap<string, StoredTensor>) {
    this.stored = stored;
  }

  /** Of all tensors. */
  get bytes(): number {
    return [...this.stored.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  /** What `load` gives, and what it read for that. */
  counted<T>(load: () => T): TensorCount & { readonly result: T } {
    this.numbers = 0;
    this.storedBytes = 0;
    return { result: load(), numbers: this.numbers, storedBytes: this.storedBytes };
  }

  private find<T extends Float32Array | Uint32Array | Int32Array | Uint8Array>(
    name: string,
    kind: new () => T,
    length: number,
    numbers = length,
  ): T {
    const stored = this.stored.get(name);
    if (!stored) throw new FormatError(`the model has no tensor ${quoted(name)} that its graph asks for`);
    if (!(stored.data instanceof kind) || stored.data.length !== length) {
      throw new FormatError(
        `tensor ${quoted(name)} holds ${stored.data.length} numbers (${dtypeOf(stored.data)}), the graph needs ${length} (${dtypeOf(new kind())})`,
      );
    }
    this.numbers += numbers;
    this.storedBytes += stored.data.byteLength;
    return stored.data;
  }

  /** A tensor of this many finite floats. @throws FormatError when it is none */
  floats(name: string, length: number): Float32Array {
    const floats = this.find(name, Float32Array, length);
    const wrong = this.finite.has(name) ? -1 : floats.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) {
      this.finite.add(name);
      return floats;
    }
    throw new FormatError(
      `tensor ${quoted(name)} holds ${floats[wrong]} at ${wrong}: the file is damaged, or the network diverged in training; pack it again`,
    );
  }

  /** Float weights, or whole codes times a factor for each of the last axis. */
  weights(name: string, codeScale: string | undefined, length: number, outputs: number): Float32Array {
    if (codeScale === undefined) return this.floats(name, length);
    const [codes, scale] = [this.find(name, Uint8Array, length), this.floats(codeScale, outputs)];
    return Float32Array.from(codes, (code, i) => (code - codeOffset) * scale[i % outputs]!);
  }

  /** A tensor of this many int32. @throws FormatError when it is none */
  integers(name: string, length: number): Int32Array {
    return this.find(name, Int32Array, length);
  }

  /** Packed filter signs [outChannels, taps, words(inChannels)], stored without the padding of words. */
  filterWords(name: string, outChannels: number, taps: number, inChannels: number): Uint32Array {
    const rows = outChannels * taps;
    return loosen(this.find(name, Uint8Array, tightBytes(rows, inChannels), rows * inChannels), rows, inChannels);
  }
}
