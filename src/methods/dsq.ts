import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import type { Estimator } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { layerMean } from '../binarize/scales.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';

/** How far the soft step is from the hard one, in (0, 0.5]. */
const firstTemperature = 0.2;
const [leastTemperature, largestTemperature] = [1e-3, 0.5];
const leastBound = 1e-4;

/** phi(v) = s tanh(kappa v) on [-1,1]: s = 1/(1-a), kappa = ln(2/a - 1)/2, so that phi(+-1) = +-1 (Gong 2019, eq. 4-7). */
export const softStep = (a: number) => ({ s: 1 / (1 - a), kappa: Math.log(2 / a - 1) / 2 });

/** The derivative of phi on [-1,1], 0 outside. */
const softSlope = (a: number): Estimator => {
  const { s, kappa } = softStep(a);
  return { id: 'dsq', slope: 'tanh-within', parameters: () => [kappa, s] };
};

/** dL/du and dL/da of u phi(w/u; a), G = dL/dy: beyond the bound y follows u, inside it follows the curve. */
function boundGradients(w: Tensor, g: Float32Array, u: number, a: number): { du: number; da: number } {
  const { s, kappa } = softStep(a);
  const dKappa = -1 / (a * (2 - a));
  let [du, da] = [0, 0];
  for (let i = 0; i < w.size; i++) {
    const v = w.data[i]! / u;
    if (Math.abs(v) > 1) {
      du += g[i]! * Math.sign(v);
      continue;
    }
    const curve = Math.tanh(kappa * v);
    const slope = 1 - curve * curve;
    du += g[i]! * s * (curve - v * kappa * slope);
    da += g[i]! * u * (s * s * curve + s * slope * v * dKappa);
  }
  return { du, da };
}

/** u sign(w), u and the temperature a learned for the layer through the soft step. */
const softQuantized: Quantizer<SignFilter> = learning(
  ({ weight }) => ({
    learned: {
      bound: { values: layerMean(weight).slice(0, 1) },
      temperature: { values: Float32Array.of(firstTemperature) },
    },
  }),
  (w, _context, { learned }) => {
    const [bound, temperature] = [learned['bound']!, learned['temperature']!];
    const u = Math.max(leastBound, bound.data[0]!);
    const a = Math.min(largestTemperature, Math.max(leastTemperature, temperature.data[0]!));
    const filter = signFilterOf(w, floats(w.channels).fill(u));
    const backward = (g: Float32Array) => {
      const { du, da } = boundGradients(w, g, u, a);
      const { s, kappa } = softStep(a);
      return [
        gradientOf(w, (dw) => {
          const scaled = floats(w.size);
          kernels().blend(w.data, 1 / u, 0, scaled.fill(0));
          kernels().unaryBackward('tanh-within', scaled, g, dw, kappa, s);
          release(scaled);
        }),
        gradientOf(bound, (d) => d.fill(du)),
        gradientOf(temperature, (d) => d.fill(da)),
      ];
    };
    return record('binarizeWeights', [w, bound, temperature], filter, backward, {
      saved: [filter.words, filter.scale],
    });
  },
);

/**
 * DSQ: a tanh step approaches the hard quantizer and lends it its gradient; bound and steepness of the weights are learned, activations
 * keep [-1,1] (Gong et al., ICCV 2019, eq. 3-9; survey [63], eq. 14).
 * Like its reference it starts from a trained float network.
 */
export const dsq = defineMethod({
  id: 'dsq',
  start: 'float',
  title: 'Differentiable Soft Quantization',
  paper: 'Gong et al., ICCV 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: softQuantized,
  activation: binarizeActivation(softSlope(firstTemperature)),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'hardtanh' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
