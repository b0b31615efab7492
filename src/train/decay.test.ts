import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { methodNamed } from '../methods/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { type DecayChoice, decayChoices } from '../nn/decay.ts';
import { parseConfig } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

const directory = mkdtempSync(join(tmpdir(), 'signum-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The names of the parameters that one step with weight decay moves elsewhere than one without. */
async function decayedNames(method: string, decay: DecayChoice | undefined): Promise<string[]> {
  const after = async (weightDecay: number) => {
    const config = parseConfig({
      model: 'resnet20',
      method,
      data: 'blobs',
      width: 0.125,
      epochs: 1,
      batch: 16,
      optimizer: 'sgd',
      rate: 0.5,
      weightDecay,
      schedule: 'constant',
      ...(decay ? { decay } : {}),
    });
    const folder = new RunFolder(mkdtempSync(join(directory, 'run-')));
    const trainer = trainerFor(config, blobData(8, 16, 8), folder);
    // biases and shifts start at 0, where decay shows nowhere
    for (const { value } of trainer.network.parameters()) for (let i = 0; i < value.size; i++) value.data[i]! += 0.125;
    await trainer.run();
    return trainer.network;
  };
  const [without, with_] = [await after(0), await after(0.5)];
  return without
    .parameters()
    .filter(({ value }, i) => value.data.some((x, k) => x !== with_.parameters()[i]!.value.data[k]))
    .map(({ name }) => name);
}

test.each(decayChoices)('decay of %s takes hold of these parameters and no others', async (choice) => {
  const all = trainerFor(
    parseConfig({ model: 'resnet20', method: 'recu', data: 'blobs', width: 0.125, epochs: 1, batch: 16 }),
    blobData(8, 16, 8),
    new RunFolder(directory),
  ).network;
  const names = all.parameters().map(({ name }) => name);
  const ofBinary = all
    .modules()
    .filter(({ value }) => value instanceof BinaryConv2d)
    .flatMap(({ name, value }) => value.parameters().map((parameter) => `${name}.${parameter.name}`));
  const latents = ofBinary.filter((name) => name.endsWith('.weight'));
  const stemAndClassifier = ['body.layers.0.conv.weight', 'body.layers.12.weight'];
  expect(names).toEqual(expect.arrayContaining(stemAndClassifier));
  const expected: Record<DecayChoice, string[]> = {
    all: names,
    weights: names.filter((name) => latents.includes(name) || stemAndClassifier.includes(name)),
    latents,
    'but-binary': names.filter((name) => !ofBinary.includes(name)),
  };
  expect(await decayedNames('recu', choice)).toEqual(expected[choice]);
});

test("each reference's choice: everything in IR-Net's family, all but the binary layers in SiMaN", () => {
  for (const id of ['ir-net', 'rbnn', 'recu', 'ada-bin', 'biper'])
    expect(methodNamed(id).defaults.decay, id).toBe('all');
  expect(methodNamed('siman').defaults.decay).toBe('but-binary');
  expect(methodNamed('bnn').defaults.decay).toBeUndefined();
});

test('without the option it is the method that says', async () => {
  expect(await decayedNames('siman', undefined)).toEqual(await decayedNames('siman', 'but-binary'));
});
