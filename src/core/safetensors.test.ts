import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from './crc32.ts';
import type { TensorArray } from './dtypes.ts';
import { FormatError, UsageError } from './errors.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.ts';

const arrays: fc.Arbitrary<TensorArray> = fc.oneof(
  fc.float32Array({ noNaN: true, maxLength: 20 }),
  fc.float64Array({ noNaN: true, maxLength: 20 }),
  fc.uint32Array({ maxLength: 20 }),
  fc.int32Array({ maxLength: 20 }),
  fc.uint16Array({ maxLength: 20 }),
  fc.int16Array({ maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }),
  fc.int8Array({ maxLength: 20 }),
  fc.bigInt64Array({ maxLength: 20 }),
  fc.bigUint64Array({ maxLength: 20 }),
);
const files = fc.dictionary(
  fc
    .string({ minLength: 1, maxLength: 8, unit: 'binary' })
    .filter((name) => name !== '__metadata__' && name !== '__proto__'),
  arrays,
  { maxKeys: 5, noNullPrototype: true },
);

function write(content: Record<string, StoredTensor['data']>): Uint8Array<ArrayBuffer> {
  return writeSafetensors(
    Object.entries(content).map(([name, data]) => [name, { shape: [data.length], data }]),
    { note: 'x' },
  );
}

/** A file of this header text and data, whatever they say. */
function fileOf(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
const entry = (begin: number, end: number, dtype = 'U8', size = end - begin) =>
  `{"dtype":"${dtype}","shape":[${size}],"data_offsets":[${begin},${end}]}`;

test('what is written is read back: names, numbers and metadata', () => {
  fc.assert(
    fc.property(files, (content) => {
      const { tensors, metadata, checksummed } = readSafetensors(write(content));
      expect(metadata).toEqual({ note: 'x' });
      expect(checksummed).toBe(true);
      expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]))).toEqual({ ...content });
    }),
  );
});

test('any bytes will do: a Node Buffer that is a window into a larger one, an ArrayBuffer, shared memory, a DataView', () => {
  const bytes = write({ a: Float32Array.of(1, 2, 3) });
  const window = Buffer.concat([Buffer.from('xyz'), bytes]).subarray(3);
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  for (const given of [window, bytes.buffer, shared, new DataView(bytes.buffer), new Int8Array(bytes.buffer)])
    expect(readSafetensors(given).tensors.get('a')!.data).toEqual(Float32Array.of(1, 2, 3));
});

test.each([
  ['model.safetensors', /got string; read the file first/],
  [Promise.resolve(), /got object; await the promise/],
  [undefined, /got undefined/],
])('%s instead of bytes is explained', (given, message) => {
  expect(() => readSafetensors(given as unknown as Uint8Array)).toThrow(message);
});

test.each<[string, string, number, RegExp]>([
  ['a name twice', `{"a":${entry(0, 1)},"a":${entry(0, 1)}}`, 1, /the name "a" comes twice/],
  ['a name twice, once in escapes', `{"a":${entry(0, 1)},"\\u0061":${entry(0, 1)}}`, 1, /the name "a" comes twice/],
  ['a field twice', `{"a":{"dtype":"F32",${entry(0, 1).slice(1)}}`, 1, /the name "dtype" comes twice/],
  ['__proto__', `{"__proto__":${entry(0, 1)}}`, 1, /"__proto__" is not allowed/],
  [
    'the same bytes twice',
    `{"a":${entry(0, 4)},"b":${entry(0, 4)}}`,
    4,
    /"b" begins at byte 0.*"a" ends at 4.*overlap/,
  ],
  ['overlapping bytes', `{"b":${entry(2, 4)},"a":${entry(0, 3)}}`, 4, /"b" begins at byte 2.*"a" ends at 3.*overlap/],
  ['a hole', `{"a":${entry(0, 1)},"b":${entry(2, 3)}}`, 3, /"b" begins at byte 2.*hole/],
  ['a hole at the start', `{"a":${entry(1, 2)}}`, 2, /the header ends at 0.*hole/],
  ['bytes after the last tensor', `{"a":${entry(0, 1)}}`, 2, /end at byte 1 .* goes on to 2/],
  ['bytes without a tensor', '{}', 1, /goes on to 1/],
  ['a number as metadata', `{"__metadata__":{"n":1}}`, 0, /metadata is not text at "n"/],
  ['a list as metadata', `{"__metadata__":["n"]}`, 0, /metadata is not text/],
  ['an unknown type', `{"a":${entry(0, 1, 'F7')}}`, 1, /dtype "F7", expected one of F64, .*BOOL/],
  [
    'a size that overflows',
    '{"a":{"dtype":"U8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}',
    0,
    /does not fill/,
  ],
  ['half a byte', `{"a":${entry(0, 1, 'F4', 1)}}`, 1, /does not fill/],
  ['a list', '[]', 0, /does not begin with "{"/],
  ['a space before', ' {}', 0, /does not begin with "{"/],
  ['something after', '{}x', 0, /not valid JSON/],
  ['deep lists', `{"a":${'['.repeat(1e6)}`, 0, /more than 4 deep/],
  [
    'a name that steers a terminal',
    `{"\\u001b[2J":${entry(0, 2)}}`,
    1,
    /^damaged safetensors file: tensor "\\u001b\[2J" lies/,
  ],
])('a header with %s is refused', (_, header, dataBytes, message) => {
  const read = () => readSafetensors(fileOf(header, new Uint8Array(dataBytes)));
  expect(read).toThrow(FormatError);
  expect(read).toThrow(message);
});

test('a header that is not UTF-8 is refused', () => {
  const bytes = fileOf(`{"a":${entry(0, 0)}}`);
  bytes[10] = 0xff;
  expect(() => readSafetensors(bytes)).toThrow(/not UTF-8/);
});

test('the order of names in the header says nothing: tensors are found by their offsets', () => {
  const { tensors } = readSafetensors(
    fileOf(`{"b":${entry(2, 3)},"none":${entry(2, 2)},"a":${entry(0, 2)}}  `, Uint8Array.of(1, 2, 3)),
  );
  expect([...tensors.get('a')!.data, ...tensors.get('b')!.data]).toEqual([1, 2, 3]);
  expect(tensors.get('none')!.data).toHaveLength(0);
});

test('what cannot be read again is not written', () => {
  const data = Uint8Array.of(1);
  for (const name of ['__metadata__', '__proto__'])
    expect(() => writeSafetensors([[name, { shape: [1], data }]])).toThrow(UsageError);
  const one = ['a', { shape: [1], data }] as const;
  expect(() => writeSafetensors([one, one])).toThrow(/"a" twice/);
  expect(() => writeSafetensors([['a', { shape: [2], data }]])).toThrow(
    /shape \[2\] needs a typed array of 2, got .*Uint8Array.* of 1/,
  );
  expect(() => writeSafetensors([['a', { shape: [1], data: [1] as unknown as Uint8Array }]])).toThrow(/Array/);
});

describe('the checksum', () => {
  const bytes = write({
    a: Float32Array.of(1, 2, 3),
    'signum-crc32': Uint32Array.of(7),
    '"signum-crc32":"': Uint8Array.of(9),
  });

  test('is CRC-32', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (data, cut) => {
        expect(crc32(data.subarray(cut), crc32(data.subarray(0, cut)))).toBe(zlibCrc32?.(data) ?? crc32(data));
      }),
    );
  });

  test('refuses every flipped bit', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readSafetensors(damaged), `bit ${bit}`).toThrow(FormatError);
    }
  });

  test('or the file does not load: cut, longer, or with a part of zeros', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(() => readSafetensors(bytes.slice(0, length)), `${length} bytes`).toThrow(FormatError);
    expect(() => readSafetensors(Uint8Array.of(...bytes, 0))).toThrow(FormatError);
    for (let begin = bytes.length - 1; begin >= 0; begin--) {
      const damaged = bytes.slice().fill(0, begin);
      if (damaged.some((byte, i) => byte !== bytes[i])) expect(() => readSafetensors(damaged)).toThrow(FormatError);
    }
  });

  test('is not asked of other programs, whose metadata may use its words', () => {
    const foreign = readSafetensors(fileOf('{"__metadata__":{"checksum":"sha1"}}'));
    expect(foreign).toMatchObject({ checksummed: false, metadata: { checksum: 'sha1' } });
  });
});

test('a damaged file without a checksum gives a FormatError or a valid file, never another exception', () => {
  const bytes = fileOf(`{"a":${entry(0, 12, 'F32', 3)},"b":${entry(12, 16, 'U32', 1)}}`, new Uint8Array(16));
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), (changes, length) => {
      const copy = bytes.slice(0, length);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      try {
        readSafetensors(copy);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
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

test.each<[string, number[], number[]]>([
  ['F16', [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x7c], [1, -2, 2 ** -24, 65504, Infinity]],
  ['BF16', [0x80, 0x3f, 0x00, 0xc0, 0x80, 0xff], [1, -2, -Infinity]],
  ['F8_E4M3', [0x38, 0xc0, 0x01, 0x7e, 0x7f], [1, -2, 2 ** -9, 448, NaN]],
  ['F8_E5M2', [0x3c, 0xc0, 0x01, 0x7b, 0x7c, 0x7d], [1, -2, 2 ** -16, 57344, Infinity, NaN]],
  ['F8_E4M3FNUZ', [0x40, 0x7f, 0x80], [1, 240, NaN]],
  ['F8_E5M2FNUZ', [0x40, 0x7f, 0x80], [1, 57344, NaN]],
  ['F8_E8M0', [127, 128, 0, 255], [1, 2, 2 ** -127, NaN]],
  ['F6_E2M3', [0b11_001000, 0b0111_0111, 0b100000_01], [1, 7.5, 3.75, -0]],
  ['F4', [0x52, 0xf8], [1, 3, -0, -6]],
  ['I8', [255], [-1]],
  ['I16', [0xfe, 0xff], [-2]],
  ['U16', [0xfe, 0xff], [65534]],
  ['BOOL', [0, 1], [0, 1]],
  ['C64', [...new Uint8Array(Float32Array.of(1, -2).buffer)], [1, -2]],
  ['F64', [...new Uint8Array(Float64Array.of(0.1).buffer)], [0.1]],
])('%s is read', (dtype, raw, expected) => {
  const size = dtype === 'C64' ? 1 : expected.length;
  const file = fileOf(`{"a":${entry(0, raw.length, dtype, size)}}`, Uint8Array.from(raw));
  expect([...(readSafetensors(file).tensors.get('a')!.data as Float32Array)]).toEqual(expected);
});

test("64-bit integers are read as BigInt, as in a PyTorch file's num_batches_tracked", () => {
  const data = new Uint8Array(BigInt64Array.of(-(2n ** 62n)).buffer);
  const file = fileOf(`{"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, data);
  expect(readSafetensors(file).tensors.get('bn.num_batches_tracked')).toEqual({
    shape: [],
    data: BigInt64Array.of(-(2n ** 62n)),
  });
});

/** A Python with the package `safetensors` and NumPy: `SIGNUM_PYTHON=.../venv/bin/python`. */
const python = process.env['SIGNUM_PYTHON'] ?? 'python3';
function hasPackage(): boolean {
  try {
    execFileSync(python, ['-c', 'import safetensors.numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    console.info(`${python} has no package safetensors: files of it are not tested (set SIGNUM_PYTHON)`);
    return false;
  }
}

describe.skipIf(!hasPackage())('the Python package', () => {
  const inPython = (program: string, file: string) =>
    execFileSync(python, ['-c', program, file], { encoding: 'utf8', maxBuffer: 1e8 });
  const inFolder = <T>(use: (file: string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'signum-safetensors-'));
    try {
      return use(join(folder, 'x.safetensors'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('reads what we write', () =>
    inFolder((file) => {
      writeFileSync(
        file,
        writeSafetensors(
          [
            ['bytes', { shape: [3], data: Uint8Array.of(1, 2, 3) }],
            ['1', { shape: [2, 1], data: Float32Array.of(0.5, -1) }],
            ['0', { shape: [1], data: BigInt64Array.of(-5n) }],
            ['none', { shape: [0, 3], data: new Int16Array(0) }],
          ],
          { 'née "x"': 'ü' },
        ),
      );
      const program = `
import sys, json, safetensors, safetensors.numpy
with safetensors.safe_open(sys.argv[1], 'np') as f: m = f.metadata()
t = safetensors.numpy.load_file(sys.argv[1])
print(json.dumps([m['née "x"'], {k: [str(v.dtype), list(v.shape), v.tolist()] for k, v in t.items()}]))`;
      expect(JSON.parse(inPython(program, file))).toEqual([
        'ü',
        {
          bytes: ['uint8', [3], [1, 2, 3]],
          '1': ['float32', [2, 1], [[0.5], [-1]]],
          '0': ['int64', [1], [-5]],
          none: ['int16', [0, 3], []],
        },
      ]);
    }));

  test('writes what we read, of every type it knows', () =>
    inFolder((file) => {
      const program = `
import sys, safetensors, numpy as np
kinds = {'bool': 1, 'uint8': 1, 'int8': 1, 'float8_e5m2': 1, 'float8_e4m3fn': 1, 'int16': 2, 'uint16': 2, 'float16': 2, 'bfloat16': 2,
  'int32': 4, 'uint32': 4, 'float32': 4, 'float64': 8, 'int64': 8, 'uint64': 8}
data = {k: np.zeros(3 * n, 'u1') for k, n in kinds.items()}
data['float16'][:] = np.array([1.5, -2, 6e-8], 'f2').view('u1')
data['float64'][:] = np.array([0.1, -2, 1e300], 'f8').view('u1')
data['int64'][:] = np.array([1, -2, 2**62], 'i8').view('u1')
data['int16'][:] = np.array([1, -2, 300], 'i2').view('u1')
spec = lambda k: safetensors.TensorSpec(dtype=k, shape=[3], data_ptr=data[k].ctypes.data, data_len=data[k].nbytes)
open(sys.argv[1], 'wb').write(safetensors.serialize({k: spec(k) for k in kinds}, {'by': 'python'}))`;
      inPython(program, file);
      const { tensors, metadata, checksummed } = readSafetensors(readFileSync(file));
      expect(metadata).toEqual({ by: 'python' });
      expect(checksummed).toBe(false);
      expect(tensors.size).toBe(15);
      expect(tensors.get('float16')!.data).toEqual(Float32Array.of(1.5, -2, 2 ** -24));
      expect(tensors.get('float64')!.data).toEqual(Float64Array.of(0.1, -2, 1e300));
      expect(tensors.get('int64')!.data).toEqual(BigInt64Array.of(1n, -2n, 2n ** 62n));
      expect(tensors.get('int16')!.data).toEqual(Int16Array.of(1, -2, 300));
      expect(tensors.get('bfloat16')!.data).toEqual(new Float32Array(3));
    }));
});
