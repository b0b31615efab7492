import type { BlockCopy } from '../../core/block-copy.ts';
import type { Kernels } from '../kernels.ts';

export const copyBlocks: Kernels['copyBlocks'] = (x, y, { counts, length, from, to }) => {
  for (let a = 0; a < counts[0]; a++)
    for (let b = 0; b < counts[1]; b++)
      for (let c = 0; c < counts[2]; c++) {
        const place = ({ offset, steps }: BlockCopy['from']) => offset + a * steps[0] + b * steps[1] + c * steps[2];
        for (let i = 0; i < length; i++) y[place(to) + i] = x[place(from) + i]!;
      }
};
