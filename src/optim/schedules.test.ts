import { expect, test } from 'vitest';
import { cosine, warmUp } from './schedules.ts';

// the code of RBNN, ReCU, SiMaN and BiPer: (e+1)/5 of the rate in epochs 0 to 4, then CosineAnnealingLR over the E-4 that are left
test.each([10, 60])('warm-up by whole epochs is that of the authors of ReCU, for %i epochs', (epochs) => {
  const rate = warmUp(5, cosine());
  for (let epoch = 0; epoch < epochs; epoch++) {
    const expected = epoch < 5 ? (epoch + 1) / 5 : (1 + Math.cos((Math.PI * (epoch - 4)) / (epochs - 4))) / 2;
    expect(rate({ epoch, progress: epoch / epochs, wholeEpochs: true })).toBeCloseTo(expected, 12);
  }
});

test('a run shorter than its warm-up only rises', () => {
  const rate = warmUp(5, cosine());
  const course = [0, 1, 2].map((epoch) => rate({ epoch, progress: epoch / 3, wholeEpochs: true }));
  expect(course).toEqual([0.2, 0.4, 0.6]);
});

test('by steps it rises from 0 on top of the other schedule', () => {
  const rate = warmUp(2, cosine());
  expect(rate({ epoch: 0, progress: 0 })).toBeCloseTo(0, 8);
  expect(rate({ epoch: 1, progress: 0.1 })).toBeCloseTo((0.5 * (1 + Math.cos(0.1 * Math.PI))) / 2, 6);
  expect(rate({ epoch: 5, progress: 0.5 })).toBeCloseTo(0.5, 12);
});
