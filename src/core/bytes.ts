import { UsageError } from './errors.ts';

/** Bytes as callers have them: what `readFile`, `fetch(...).arrayBuffer()`, a canvas or a worker's message gives. */
export type Bytes = ArrayBufferView | ArrayBufferLike;

// not instanceof: a buffer of another frame or of a test runner's sandbox has another constructor
const isBuffer = (value: unknown): value is ArrayBufferLike =>
  /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));

/**
 * The same memory as single bytes.
 *
 * @param what named in the message
 * @throws UsageError for anything else, such as a path or a promise
 */
export function bytesOf(value: Bytes, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isBuffer(value)) return new Uint8Array(value);
  const given: unknown = value;
  const cure =
    typeof given === 'string'
      ? 'read the file first: readFileSync(path), or await (await fetch(url)).arrayBuffer()'
      : given instanceof Promise
        ? 'await the promise'
        : 'pass what was read, not its wrapper';
  throw new UsageError(
    `${what}: expected bytes (Uint8Array or ArrayBuffer), got ${given === null ? 'null' : typeof given}; ${cure}`,
  );
}
