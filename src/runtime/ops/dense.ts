import { productScratch } from '../conv.ts';
import { elementwise } from '../elementwise.ts';
import { count, definePackedOp, lengthOf, maybeTensor, none, type Place, tensor } from '../op.ts';

const weightsOf = ({ inputs: [x], node }: Place<{ readonly channels: number }>) => lengthOf(x!) * node.channels;

/** x weight + bias: [K] to [channels] */
export const dense = definePackedOp('dense', {
  channels: count,
  weight: tensor,
  codeScale: maybeTensor,
  bias: maybeTensor,
})({
  ...elementwise,
  shape: ({ channels }) => [channels],
  cost: (place) => {
    const weights = weightsOf(place);
    return { weights, weightBits: place.node.codeScale ? 8 : 32, inputBits: 32, macs: weights };
  },
  memory: (place) => {
    const bytes = 4 * weightsOf(place);
    return { constants: place.node.codeScale ? bytes : 0, scratch: bytes + productScratch() };
  },
  prepare: (place, tensors) => {
    const { node, inputs, kernels } = place;
    const [k, m] = [lengthOf(inputs[0]!), node.channels];
    const weight = tensors.weights(node.weight, node.codeScale, k * m, m);
    const bias = node.bias ? tensors.floats(node.bias, m) : none;
    return {
      kernel: node.codeScale ? 'float gemm, weights in bytes' : 'float gemm',
      run: ([x], y, batch) => {
        if (bias.length > 0) for (let row = 0; row < batch; row++) y.floats.set(bias, row * m);
        kernels.sgemm(false, false, batch, m, k, x!.floats, weight, bias.length > 0, y.floats);
      },
    };
  },
});
