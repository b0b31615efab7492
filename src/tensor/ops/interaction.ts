import { type Interaction, interact } from '../../exact/interaction.ts';
import { emptyTensor, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Channel-wise interaction of dot products; the gradient passes to what was corrected, none to what corrected it.
 *
 * @param y [N,H,W,C]
 * Source: Wang 2019 (CI-BCNN), eq. 3-4.
 */
export function channelInteraction(y: Tensor, interaction: Interaction): Tensor {
  const out = emptyTensor(y.shape);
  out.data.set(y.data);
  interact(out.data, y.channels, interaction);
  return record('interact', [y], out, (dy) => [dy], { attributes: { interaction } });
}
