import { flag } from '../../core/fields.ts';
import { normaliseSamples, sampleMoments } from '../../exact/sample-norm.ts';
import { elementwise, floatWork, keepsOutput } from '../elementwise.ts';
import { channelsOf, definePackedOp } from '../op.ts';

/** x over the deviation of its image, centred or not */
export const sampleNormalise = definePackedOp('sampleNormalise', { centred: flag })({
  ...elementwise,
  memory: keepsOutput,
  prepare: ({ node, output, kernels }) => {
    let ones = new Float32Array(0);
    return floatWork(([x], y, batch) => {
      if (ones.length !== y.floats.length) ones = new Float32Array(y.floats.length).fill(1);
      const [means, inverse] = [new Float32Array(batch), new Float32Array(batch)];
      sampleMoments(kernels, x!.floats, means, inverse, ones, batch);
      normaliseSamples(kernels, x!.floats, means, inverse, node.centred, y.floats, batch, channelsOf(output));
    });
  },
});
