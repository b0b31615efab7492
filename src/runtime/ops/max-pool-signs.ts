import { channelMask, poolSigns } from '../../exact/sign-pool.ts';
import { nothing } from '../elementwise.ts';
import { channelsOf, definePackedOp, tensor } from '../op.ts';
import { pool, poolingOf } from '../pool.ts';

/** Max-pooling of thresholds of the values that are pooled; `falling` marks channels whose threshold flips. */
export const maxPoolSigns = definePackedOp('maxPoolSigns', { ...pool.fields, falling: tensor })({
  ...pool,
  takes: ['signs'],
  gives: 'signs',
  memory: nothing,
  prepare: (place, tensors) => {
    const geometry = poolingOf(place);
    const mask = channelMask(tensors.integers(place.node.falling, channelsOf(place.output)));
    return {
      kernel: 'and/or of bits',
      run: ([x], y, batch) => poolSigns(x!.words, mask, y.words, geometry(batch)),
    };
  },
});
