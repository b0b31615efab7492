import { kernels } from '../backend/select.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { floats, release } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { dorefaNet } from './dorefa.ts';
import { oneForm } from './forms.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';

/**
 * 1/2 ||W'W - I||^2 of the filters as columns, or 1/2 ||WW' - I||^2 of the rows where these are fewer: 0 for an orthogonal layer, which
 * amplifies no noise.
 *
 * @param w [...,C]
 * Source: Lin 2019 (Defensive Quantization), eq. 4.
 */
export function orthogonality(w: Tensor): Tensor {
  const { rows, channels, data } = w;
  const byColumns = channels <= rows;
  const size = byColumns ? channels : rows;
  const gram = floats(size * size);
  kernels().sgemm(byColumns, !byColumns, size, size, byColumns ? rows : channels, data, data, false, gram);
  for (let i = 0; i < size; i++) gram[i * (size + 1)]! -= 1;
  let total = 0;
  for (let i = 0; i < gram.length; i++) total += (gram[i]! * gram[i]!) / 2;
  const backward = (g: Float32Array) => {
    // 2 W (W'W - I), or 2 (WW' - I) W
    const dw = floats(w.size);
    if (byColumns) kernels().sgemm(false, false, rows, channels, channels, data, gram, false, dw);
    else kernels().sgemm(false, false, rows, channels, rows, gram, data, false, dw);
    kernels().blend(dw, 0, 2 * g[0]!, dw);
    release(gram);
    return [dw];
  };
  return record('orthogonality', [w], new Tensor(floats(1).fill(total), [1]), backward);
}

const beta = 1e-4;

const lipschitzTerm: LossTerm = ({ layers }) =>
  scale(layers.map(({ layer }) => orthogonality(layer.weight)).reduce(add), beta);

/**
 * Defensive Quantization: keeps every layer's Lipschitz constant near 1 by pulling its weights towards orthogonality, so that neither
 * quantization noise nor an attack grows from layer to layer; on DoReFa's 1-bit weights and 2-bit activations (Lin et al., ICLR 2019,
 * eq. 4; survey [66]).
 */
export const defensiveQuantization: Method = defineMethod({
  ...oneForm(dorefaNet({ weight: 1, activation: 2 })),
  id: 'defensive-quantization',
  title: 'Defensive Quantization, 1-bit weights, 2-bit activations',
  paper: 'Lin et al., ICLR 2019',
  family: 'loss',
  lossTerms: [lipschitzTerm],
});
