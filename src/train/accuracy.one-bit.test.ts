import { expect, test } from 'vitest';
import { signActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { bnn } from '../methods/bnn.ts';
import type { Method } from '../methods/method.ts';
import { methods } from '../methods/table.ts';
import { Tensor } from '../tensor/tensor.ts';
import { accuracyOf, broken, testThatTheyLearn, testThatTheyLearnWithBinaryEnds } from './accuracy.testing.ts';

testThatTheyLearn(methods.filter(({ bits }) => bits.weight === 1 && bits.activation === 1));
testThatTheyLearnWithBinaryEnds();

/** No gradient passes any sign: what remains is a classifier over random features. */
const withoutGradients: Method = {
  ...bnn,
  id: 'without-gradients',
  weight: (w, context) => bnn.weight(constantOf(w), context),
  activation: (x, context) => signActivation(constantOf(x), clippedSte, context),
};

/** All signs are +1: nothing is told on. */
const withoutSigns: Method = {
  ...bnn,
  id: 'without-signs',
  activation: (x, context) => signActivation(new Tensor(new Float32Array(x.size), x.shape), clippedSte, context),
};

const constantOf = (x: Tensor) => new Tensor(x.data.slice(), x.shape);

test.each([withoutGradients, withoutSigns])('$id: a broken binarization is told apart', async (method) => {
  const known = methods as Method[];
  known.push(method);
  try {
    expect(await accuracyOf(method, 5)).toBeLessThan(broken);
  } finally {
    known.splice(known.indexOf(method), 1);
  }
});
