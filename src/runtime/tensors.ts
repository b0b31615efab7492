import { wordsFor } from '../core/bits.ts';
import { FormatError } from '../core/errors.ts';
import type { SafetensorsFile } from '../core/safetensors.ts';
import { codeOffset } from './graph.ts';

/** Checked access to the tensors of a model file. */
export class ModelTensors {
  private readonly file: SafetensorsFile;

  constructor(file: SafetensorsFile) {
    this.file = file;
  }

  private find<T extends Float32Array | Uint32Array | Int32Array | Uint8Array>(
    name: string,
    kind: abstract new (...args: never[]) => T,
    length: number,
  ): T {
    const stored = this.file.tensors.get(name);
    if (!stored) throw new FormatError(`the model has no tensor "${name}" that its graph asks for`);
    if (!(stored.data instanceof kind) || stored.data.length !== length) {
      throw new FormatError(`tensor "${name}" has ${stored.data.length} values of the file, the graph needs ${length}`);
    }
    return stored.data;
  }

  floats(name: string, length: number): Float32Array {
    return this.find(name, Float32Array, length);
  }

  /** Float weights, or whole codes times a factor for each of the last axis. */
  weights(name: string, codeScale: string | undefined, length: number, outputs: number): Float32Array {
    if (codeScale === undefined) return this.floats(name, length);
    const [codes, scale] = [this.find(name, Uint8Array, length), this.floats(codeScale, outputs)];
    return Float32Array.from(codes, (code, i) => (code - codeOffset) * scale[i % outputs]!);
  }

  integers(name: string, length: number): Int32Array {
    return this.find(name, Int32Array, length);
  }

  /** Packed filter signs [outChannels, taps, words(inChannels)]. */
  filterWords(name: string, outChannels: number, taps: number, inChannels: number): Uint32Array {
    return this.find(name, Uint32Array, wordsFor(outChannels * taps, inChannels));
  }
}
