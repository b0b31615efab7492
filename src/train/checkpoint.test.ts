import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { FormatError } from '../core/errors.ts';
import { type StoredTensor, writeSafetensors } from '../core/safetensors.ts';
import { buildNetwork } from '../models/table.ts';
import { readCheckpoint, restore } from './checkpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'signum-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'checkpoint.safetensors');

const network = buildNetwork({
  model: 'sfc',
  method: 'bnn',
  inputShape: [2, 2, 1],
  classes: 2,
  width: 1 / 64,
  seed: 1,
});
const progress = {
  format: 'signum-checkpoint',
  version: 1,
  network: network.config,
  random: network.context.random.state,
  point: network.point,
  epoch: 1,
  batch: 0,
  step: 1,
  running: { loss: 0, hits: 0, images: 0, seconds: 0 },
  classes: ['a', 'b'],
  mean: [0],
  std: [1],
};

function checkpoint(change: (name: string, data: Float32Array) => Float32Array = (_, data) => data): Uint8Array {
  const tensors = [...network.parameters(), ...network.stateArrays()].map(({ name, value }): [string, StoredTensor] => [
    name,
    { shape: [value.data.length], data: change(name, value.data) },
  ]);
  return writeSafetensors(tensors, { signum: JSON.stringify(progress) });
}

function read(bytes: Uint8Array): ReturnType<typeof readCheckpoint> {
  writeFileSync(file, bytes);
  return readCheckpoint(file);
}

test('what was saved is restored', () => {
  const other = buildNetwork({ ...network.config, seed: 2 });
  restore(read(checkpoint()), other);
  expect(other.parameters().map(({ value }) => value.data)).toEqual(
    network.parameters().map(({ value }) => value.data),
  );
});

test('every flipped bit, every cut length and a tail of zeros are refused, with the name of the file', () => {
  const bytes = checkpoint();
  const refused = (damaged: Uint8Array, what: string) => {
    expect(() => read(damaged), what).toThrow(FormatError);
    expect(() => read(damaged), what).toThrow(file);
  };
  for (let i = 0; i < 400; i++) {
    const bit = Math.floor((i * 8 * bytes.length) / 400);
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    refused(damaged, `bit ${bit}`);
  }
  for (let i = 0; i < 100; i++) refused(bytes.subarray(0, Math.floor((i * bytes.length) / 100)), `cut ${i}`);
  for (const zeros of [1, 64, 4096]) {
    const damaged = checkpoint((_, data) => data.map((x) => x + 1)).slice();
    refused(damaged.fill(0, damaged.length - zeros), `${zeros} zeros`);
  }
});

test('numbers that are none are refused by the name of their tensor', () => {
  const [{ name } = { name: '' }] = network.parameters();
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => read(checkpoint((tensor, data) => (tensor === name ? data.map(() => value) : data)))).toThrow(
      new RegExp(`"${name}" holds ${value} at 0: .*diverged`),
    );
});

test('a checkpoint of before checksums loads with one line', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const text = JSON.stringify({ __metadata__: { signum: JSON.stringify(progress) } });
  const size = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  const bytes = Uint8Array.of(...size, ...new TextEncoder().encode(text));
  expect([read(bytes).epoch, read(bytes).epoch]).toEqual([1, 1]);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('before checksums')]]);
  warn.mockRestore();
});
