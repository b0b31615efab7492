import { cifarAugmentation, defineRecipe } from './recipe.ts';

/** FINN's network for CIFAR-10. */
export const cnv6BnnCifar10 = defineRecipe({
  id: 'cnv6-bnn-cifar10',
  training: {
    model: 'cnv6',
    method: 'bnn',
    data: 'cifar10',
    epochs: 200,
    rate: 0.02,
    schedule: 'step',
    clock: 'step',
    firstLast: 'float',
    ...cifarAugmentation,
  },
  published: 0.8422,
  source: 'Brevitas, CNV_1W1A, 1000 epochs (FINN: 80.1 %, Umuroglu et al., FPGA 2017); github.com/Xilinx/brevitas',
  deviations: '200 epochs; float weights in the first layer (`--first-last binary`: as published)',
});
