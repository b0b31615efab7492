import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError, ShapeError, UsageError, WorkerError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import type { Executor } from '../executor.ts';
import { load } from '../load.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { loadPackedModel } from '../packed-model.ts';
import { packedNetwork } from '../packed-network.testing.ts';
import { threadExecutor } from './pool.ts';

const samples = new Float32Array(4 * 64);
new Random(2).fillNormal(samples, 0, 1);
const file = packedNetwork(samples, 'resnet20', 'bnn', 0.0625);
const pixels = (images: number) => ({
  data: Uint8Array.from({ length: images * 64 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24),
  shape: [images, 8, 8, 1],
});
const here = loadPackedModel(file);

let executor: Executor;
let model: LoadedModel;
beforeAll(async () => {
  executor = threadExecutor({ threads: 2 });
  model = await load(file, { executor });
});
afterAll(() => executor.dispose());

/** Ends one thread as a crash would: an input that its kernels are never given. */
const threads = () => [...(executor as unknown as { workers: Set<{ thread: { end(): void } }> }).workers];

test('threads give the bits of the calling thread: pixels and floats, one image, none, more than one message holds, many at once', async () => {
  const sizes = [1, 0, 3, 17_000, 2, 7, 1];
  const answers = await Promise.all(sizes.map((size) => model.run(pixels(size))));
  for (const [i, size] of sizes.entries()) {
    const floats = here.normalise(pixels(size).data);
    const expected = here.run(floats).slice();
    expect(answers[i]).toEqual(expected);
    if (size === 17_000) expect(await model.run({ ...pixels(size), data: floats })).toEqual(expected);
  }
  expect(await model.predict(pixels(3), { top: 2 })).toEqual(here.predict(pixels(3), 2));
});

test('the caller keeps what it gave: arrays, and parts of a Buffer', async () => {
  const { data, shape } = pixels(17_000);
  const buffer = Buffer.from(data);
  const expected = here.run(here.normalise(data)).slice();
  expect(await model.run({ data: buffer, shape })).toEqual(expected);
  expect(await model.run({ data: buffer.subarray(0, 64), shape: [1, 8, 8, 1] })).toEqual(expected.subarray(0, 4));
  expect(Buffer.compare(buffer, data)).toBe(0);
});

test('values in shared memory are read where they lie', async () => {
  const { data, shape } = pixels(17_000);
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  expect(await model.run({ data: shared, shape })).toEqual(here.run(here.normalise(data)));
});

describe('errors reach the caller as they are', () => {
  test('of a damaged file, and the pool goes on', async () => {
    const damaged = file.slice();
    damaged[damaged.length - 40]! ^= 1;
    await expect(executor.load(damaged)).rejects.toThrow(FormatError);
    await expect(executor.load(file, { maxBytes: 10 })).rejects.toThrow(FormatError);
    expect(await model.predict(pixels(1))).toEqual(here.predict(pixels(1)));
  });

  test('of values that are no whole image', async () => {
    const executed = await executor.load(file);
    await expect(executed.run([new Float32Array(65)])).rejects.toThrow(ShapeError);
    await expect(executed.run([new Float32Array(65)])).rejects.toThrow(/65 values are not a whole number/);
    executed.dispose();
    await expect(executed.run([new Float32Array(64)])).rejects.toThrow(/disposed of; load it again/);
  });
});

test('an aborted run rejects with its reason, queued or computing, and the next ones answer', async () => {
  const expected = here.run(here.normalise(pixels(5).data)).slice();
  const control = new AbortController();
  const long = Array.from({ length: 4 }, () => model.run(pixels(17_000), { signal: control.signal }));
  const next = model.run(pixels(5));
  setTimeout(() => control.abort(), 20);
  for (const run of long) await expect(run).rejects.toMatchObject({ name: 'AbortError' });
  expect(await next).toEqual(expected);
  expect(await model.run(pixels(5))).toEqual(expected);
  await expect(model.run(pixels(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
});

test('a thread that ends is replaced: what it computed is rejected by name, what waits is answered', async () => {
  const runs = Array.from({ length: 6 }, () => model.run(pixels(17_000)));
  const settled = Promise.allSettled(runs);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const [ended, other] = threads();
  ended!.thread.end();
  const results = await settled;
  const lost = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(lost.map(({ reason }) => reason)).toEqual([expect.any(WorkerError)]);
  expect(lost[0]!.reason.message).toMatch(/the thread that computed this ended .* another takes its place/);
  expect(threads()).toHaveLength(2);
  expect(threads()).toContain(other);
  expect(threads()).not.toContain(ended);
  const answers = await Promise.all([1, 2, 3, 4].map(() => model.predict(pixels(2))));
  for (const answer of answers) expect(answer).toEqual(here.predict(pixels(2)));
});

test('several models share the threads; after dispose one is refused and the others answer', async () => {
  const second = packedNetwork(samples, 'sfc', 'bnn', 0.25);
  const other = await load(second, { executor });
  const [a, b] = await Promise.all([other.predict(pixels(4)), model.predict(pixels(4))]);
  expect(a).toEqual(loadPackedModel(second).predict(pixels(4)));
  expect(b).toEqual(here.predict(pixels(4)));
  const unanswered = other.run(pixels(17_000));
  await new Promise((resolve) => setTimeout(resolve, 5));
  other.dispose();
  other.dispose();
  await expect(unanswered).rejects.toThrow(UsageError);
  await expect(other.predict(pixels(1))).rejects.toThrow(/disposed of; load it again/);
  expect(await model.predict(pixels(4))).toEqual(b);
});

test('an executor that was disposed of rejects what it did not answer and refuses the rest', async () => {
  const own = threadExecutor();
  const loaded = await load(file, { executor: own });
  const run = loaded.run(pixels(17_000));
  await new Promise((resolve) => setTimeout(resolve, 5));
  own.dispose();
  await expect(run).rejects.toThrow(/disposed of before it answered/);
  await expect(loaded.run(pixels(1))).rejects.toThrow(UsageError);
  await expect(own.load(file)).rejects.toThrow(/executor was disposed of/);
});

test('a number of threads that is none is refused', () => {
  for (const threads of [0, -1, 1.5, Number.NaN, 5000, '2' as never])
    expect(() => threadExecutor({ threads })).toThrow(/expected a whole number from 1 to 1024/);
});
