import { kernels } from '../backend/select.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { filterMean, scaleColumns } from '../binarize/scales.ts';
import { binaryWeights, floatUntil } from '../binarize/stages.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { floats } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter } from '../tensor/tensor.ts';
import { defineMethod, type UpdateRule } from './method.ts';
import { reactNet } from './react-net.ts';

/** gamma of the reconstruction is kept between these (the authors' code). */
const [leastGamma, largestGamma] = [1e-5, 2e-4];

/** gamma_c: the share of a filter's weights that flipped in the last update, times its largest gradient (Xu 2023, eq. 12). */
export function balance(w: Float32Array, before: Float32Array, g: Float32Array, channels: number): Float32Array {
  const gamma = floats(channels);
  for (let c = 0; c < channels; c++) {
    let [flips, largest] = [0, 0];
    for (let i = c; i < w.length; i += channels) {
      if (w[i]! < 0 !== before[i]! < 0) flips++;
      largest = Math.max(largest, Math.abs(g[i]!));
    }
    gamma[c] = Math.min(Math.max((flips * channels * largest) / w.length, leastGamma), largestGamma);
  }
  return gamma;
}

/**
 * alpha_c sign(w) with alpha learned, and gamma_c/2 ||w - alpha sign(w)||^2 in the loss: dw = alpha G 1(|w| <= 1) + gamma (w - alpha b),
 * dalpha = sum G b - gamma (w - alpha b) b, G = dL/d(alpha b), b = sign(w) (eq. 5-8). alpha moves at a fiftieth of the rate: the code learns
 * it as 0.02 |s|.
 */
const resilient: Quantizer<SignFilter> = learning(
  ({ weight }) => ({
    learned: { weightScale: { values: filterMean(weight), rateFactor: 0.02 } },
    kept: { before: weight.data.slice() },
  }),
  (w, _context, { learned, kept }) => {
    const alpha = learned['weightScale']!;
    const scale = floats(w.channels);
    scale.set(alpha.data);
    const filter = signFilterOf(w, scale);
    const backward = (g: Float32Array) => {
      const gamma = balance(w.data, kept['before']!, g, w.channels);
      const [bits, distance] = [floats(w.size), floats(w.size)];
      kernels().unary('clip-ste', w.data, bits);
      scaleColumns(bits, scale, distance, w.rows);
      kernels().blend(w.data, 1, -1, distance);
      scaleColumns(distance, gamma, distance, w.rows);
      return [
        gradientOf(w, (dw) => {
          kernels().unaryBackward('clip-ste', w.data, g, dw, 1, 0);
          scaleColumns(dw, scale, dw, w.rows);
          kernels().add(dw, distance, dw);
        }),
        gradientOf(alpha, (da) => {
          kernels().blend(distance, -1, 1, g);
          kernels().columnDots(g, bits, da, w.rows, w.channels);
        }),
      ];
    };
    return record('binarizeWeights', [w, alpha], filter, backward, { saved: [filter.words, scale] });
  },
);

const remember: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight, kept } of layers) kept['before']!.data.set(weight.data);
  },
};

const rate = 1e-3;

/**
 * ReBNN: a learned scale, and weights drawn to it the more of them flip back and forth, on ReActNet's structure and after
 * its first stage of float weights (Xu et al., AAAI 2023, eq. 5-12, and the authors' code).
 */
export const rebnn = defineMethod({
  ...reactNet,
  id: 'rebnn',
  revision: 2,
  title: 'Resilient BNN',
  paper: 'Xu et al., AAAI 2023',
  weight: floatUntil(binaryWeights, resilient),
  update: remember,
  stages: [
    {
      name: 'activations',
      epochs: 256,
      binary: 'activations',
      defaults: { optimizer: adam({ rate, weightDecay: 1e-5 }) },
    },
    { name: 'both', epochs: 256, binary: 'both' },
  ],
  defaults: { ...reactNet.defaults, optimizer: adam({ rate }), rate: linear(), epochs: 512, batch: 512 },
});
