import { expect, test } from 'vitest';
import { parseConfig, type TrainOptions } from './config.ts';
import { commandOf } from './run.ts';
import { withUsualAugmentation } from './usual-augmentation.ts';

const begun = (options: Partial<TrainOptions>) =>
  withUsualAugmentation(
    parseConfig({ model: 'resnet20', method: 'ir-net', data: 'cifar10', epochs: 1, batch: 8, ...options }),
  );

test('CIFAR images are shifted by up to 4 pixels and mirrored, as in every reference; the log says so', () => {
  for (const data of ['cifar10', 'cifar100']) {
    const { config, note } = begun({ data });
    expect(config).toMatchObject({ padCrop: 4, flip: true });
    expect(note).toMatch(/--pad-crop 4 --flip, as usual for cifar10*;.*--no-flip/);
  }
});

test('what is said stays; what both options say needs no note', () => {
  expect(begun({ flip: false, padCrop: 0 })).toMatchObject({ config: { padCrop: 0, flip: false }, note: null });
  expect(begun({ padCrop: 2 }).config).toMatchObject({ padCrop: 2, flip: true });
  expect(begun({ flip: false }).config).toMatchObject({ padCrop: 4, flip: false });
});

test('digits and clothes are used as they are, and so are pictures of a folder', () => {
  for (const data of ['mnist', 'fashion-mnist', './photos@64', 'blobs']) {
    const { config, note } = begun({ data });
    expect(config.padCrop ?? 0).toBe(0);
    expect(config.flip ?? false).toBe(false);
    expect(note).toBeNull();
  }
});

test('BNN and BinaryConnect were published without: their runs have none and say what is usual', () => {
  const { config, note } = begun({ method: 'bnn' });
  expect(config).toMatchObject({ padCrop: 0, flip: false });
  expect(note).toMatch(/none: the reference of bnn has none; --pad-crop 4 --flip is usual for cifar10/);
  expect(begun({ method: 'bnn', flip: true, padCrop: 4 }).config).toMatchObject({ padCrop: 4, flip: true });
});

test('the command of a run without mirroring says so, where it would come by itself', () => {
  expect(commandOf(begun({ flip: false }).config)).toMatch(/--pad-crop 4 .*--no-flip|--no-flip.*--pad-crop 4/);
});
