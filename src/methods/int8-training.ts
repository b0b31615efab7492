import { counteractiveRate, int8Gradients } from '../binarize/int8-gradients.ts';
import { biReal } from './bi-real.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/** The rate of a layer falls with the angle by which eight bits turn its gradient. */
const counteractive: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight, kept } of layers) weight.rateFactor = counteractiveRate(kept['deviation']!.data[0]!);
  },
};

/**
 * Gradients in eight bits: direction-sensitive clipping and deviation-counteractive rates of Unified INT8 Training (Zhu et al., CVPR 2020;
 * survey [41]), here for a binary network, whose weights and activations need no eight bits: Bi-Real's.
 */
export const int8Training: Method = defineMethod({
  ...biReal,
  id: 'int8-gradients',
  title: 'Bi-Real Net, gradients in eight bits',
  paper: 'Zhu et al., CVPR 2020',
  output: int8Gradients,
  update: counteractive,
});
