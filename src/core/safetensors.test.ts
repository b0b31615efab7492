import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SignumError } from './errors.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.ts';

const arrays = fc.oneof(
  fc.float32Array({ noNaN: true, maxLength: 20 }),
  fc.uint32Array({ maxLength: 20 }),
  fc.int32Array({ maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }),
);
const files = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
  arrays,
  { maxKeys: 5 },
);

function write(content: Record<string, StoredTensor['data']>): Uint8Array {
  return writeSafetensors(
    Object.entries(content).map(([name, data]) => [name, { shape: [data.length], data }]),
    { note: 'x' },
  );
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(files, (content) => {
      const { tensors, metadata } = readSafetensors(write(content));
      expect(metadata).toEqual({ note: 'x' });
      expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]))).toEqual({ ...content });
    }),
  );
});

test('a Node Buffer, which may be a window into a larger one, reads the same', () => {
  const bytes = write({ a: Float32Array.of(1, 2, 3) });
  const window = Buffer.concat([Buffer.from('xyz'), bytes]).subarray(3);
  expect(readSafetensors(window).tensors.get('a')!.data).toEqual(Float32Array.of(1, 2, 3));
});

test('a damaged file gives a FormatError or a valid file, never another exception', () => {
  const bytes = write({ a: Float32Array.of(1, 2, 3), b: Uint32Array.of(7) });
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), (changes, length) => {
      const copy = bytes.slice(0, length);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      try {
        readSafetensors(copy);
      } catch (error) {
        expect(error).toBeInstanceOf(SignumError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a header that lies about its size allocates nothing', () => {
  const lie = new Uint8Array(16);
  new DataView(lie.buffer).setBigUint64(0, 2n ** 60n, true);
  expect(() => readSafetensors(lie)).toThrow(/header claims/);
});
