import { elementwise, floatWork } from './elementwise.ts';
import { definePackedOp, lengthOf, tensor } from './op.ts';

/** Every image combined with one constant map of its size. */
export const withMap = <const Op extends string>(op: Op, kernel: 'add' | 'multiply') =>
  definePackedOp(op, { map: tensor })({
    ...elementwise,
    prepare: ({ node, output, kernels }, tensors) => {
      const map = tensors.floats(node.map, lengthOf(output));
      return floatWork(([x], y, batch) => {
        for (let n = 0; n < batch; n++) {
          const part = (array: Float32Array) => array.subarray(n * map.length, (n + 1) * map.length);
          kernels[kernel](part(x!.floats), map, part(y.floats));
        }
      });
    },
  });
