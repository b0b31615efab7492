import { test } from 'vitest';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { Tensor } from '../tensor/tensor.ts';
import { filterMeans, filterSpreads } from './filter-statistics.ts';
import { layerNormalise, layerShift } from './layer-affine.ts';
import { centre, multiplyWeights } from './transforms.ts';

const number = (value: number) => new Tensor(Float32Array.of(value), [1], true);
const context = {} as Parameters<typeof centre>[1];

test('maps of a whole layer and statistics of its filters: gradients by finite differences', () => {
  const x = () => randomTensor([2, 3, 3, 4], 1);
  checkGradients(layerShift, [x(), number(0.3)]);
  checkGradients(layerNormalise, [x(), number(0.3), number(0.7)], 1e-3);
  checkGradients(filterMeans, [x()]);
  checkGradients(filterSpreads, [x()], 1e-3);
  checkGradients((w) => centre(w, context), [x()]);
  checkGradients((w) => multiplyWeights(2.5)(w, context), [x()]);
});
