import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernels } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { earlier } from '../methods/earlier.ts';
import { revisionOf, type Structure } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';
import { buildNetwork, firstForm } from './table.ts';

interface FirstForm {
  readonly structure: Structure;
  /** Of names, shapes and logits, as `digestOf` gives it; written down at commit 1b77453, natively. */
  readonly forward: string;
  /** The schedule's values at `points`. */
  readonly schedule: readonly Record<string, number | 'Infinity'>[];
}

const forms = JSON.parse(readFileSync(new URL('./fixtures/first-forms.json.txt', import.meta.url), 'utf8')) as Readonly<
  Record<string, FirstForm>
>;
const points = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((progress) => ({ progress, epoch: 40 * progress }));
const config = { model: 'resnet20', inputShape: [8, 8, 3], classes: 4, width: 0.25, seed: 1 } as const;

/** Of what a network computes with drawn parameters, so that it does not depend on how they start. */
function digestOf(network: Network): string {
  const random = new Random(7);
  const hash = createHash('sha256');
  for (const { value } of network.parameters()) random.fillNormal(value.data, 0.05, 0.5);
  for (const { value } of network.stateArrays())
    for (let i = 0; i < value.data.length; i++) value.data[i] = 0.25 + 0.5 * random.uniform();
  const images = new Float32Array(3 * 8 * 8 * 3);
  random.fillNormal(images, 0, 1);
  for (const { name, value } of network.parameters()) hash.update(`${name} ${value.shape}\n`);
  for (const { name, value } of network.stateArrays()) hash.update(`${name} ${value.data.length}\n`);
  network.setTraining(false);
  for (const point of [points[2]!, points[6]!]) {
    network.setPoint(point);
    const logits = inference(() => network.forward(new Tensor(images, [3, 8, 8, 3])).data.slice());
    expect(logits.every(Number.isFinite)).toBe(true);
    hash.update(new Uint8Array(logits.buffer));
  }
  return hash.digest('hex').slice(0, 32);
}

const storable = (values: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : `${value}`]),
  );

const rule = 'raise the `revision` of this method, and keep the form it had in src/methods/earlier.ts';

test.each(Object.entries(forms))('%s: runs of version 0.1 find its first form', (method, form) => {
  const network = buildNetwork(firstForm({ ...config, method }));
  expect(network.config.structure, rule).toEqual(form.structure);
  expect(
    points.map((point) => storable(network.method.schedule?.(point) ?? {})),
    rule,
  ).toEqual(form.schedule);
  // WebAssembly multiplies, then adds
  if (kernels().name === 'native') expect(digestOf(network), rule).toBe(form.forward);
});

test('every revision of a method is there, once, and no other', () => {
  for (const method of methods)
    for (let revision = 1; revision <= revisionOf(method); revision++)
      expect(methodNamed(method.id, revision).revision ?? 1).toBe(revision);
  for (const form of earlier) {
    expect(revisionOf(form)).toBeLessThan(revisionOf(methodNamed(form.id)));
    expect(earlier.filter((other) => other.id === form.id && revisionOf(other) === revisionOf(form))).toHaveLength(1);
  }
  expect(() => methodNamed('ir-net', 99)).toThrow(/"ir-net": revision 2 is here, .*of 99.*take the version/);
});
