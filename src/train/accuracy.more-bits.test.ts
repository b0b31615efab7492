import { methods } from '../methods/table.ts';
import { testThatTheyLearn } from './accuracy.testing.ts';

// apart from the methods of one bit, so that two cores share the work
testThatTheyLearn(methods.filter(({ bits }) => bits.weight !== 1 || bits.activation !== 1));
