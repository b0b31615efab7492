import { fittedFlag } from '../binarize/fitted.ts';
import { UsageError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import type { LayerFit } from '../methods/method.ts';
import type { Network } from '../models/network.ts';
import { type BinaryLayer, binaryLayersOf, type LayerProbe, withProbe } from '../nn/binary-layer.ts';
import { effectiveActivations } from '../nn/product.ts';
import { samplePositions, windowsOf } from '../nn/windows.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Windows per fit: four for every weight of a filter, and at least this many. */
const fewestWindows = 2048;

/** Whether the layers of this network have been fitted. */
export function isFitted(network: Network): boolean {
  return binaryLayersOf(network)[0]?.value.kept[fittedFlag]?.data[0] === 1;
}

/**
 * Fits the binary layers one after the other: each to what it sees once those before it are fitted. Batch-norms keep the statistics that
 * they have.
 *
 * @param images [N,H,W,C], normalised
 * @throws UsageError for grouped convolutions
 */
export function fitLayers(network: Network, fit: LayerFit, images: Tensor): void {
  network.setTraining(false);
  const before = new Map<BinaryLayer, { positions: Int32Array; windows: Float32Array }>();
  const random = new Random(network.config.seed);
  visitLayers(network, images, ({ layer, activation, input }) => {
    if ((layer.options.groups ?? 1) > 1)
      throw new UsageError(
        `method "${network.method.id}" solves for a layer's weights as one matrix; a convolution of ${layer.options.groups} groups is several: take another method`,
      );
    const x = new Tensor(effectiveActivations(activation), input.shape);
    const count = Math.max(fewestWindows, 4 * layer.weight.rows);
    const positions = samplePositions(layer, x, count, random);
    before.set(layer, { positions, windows: windowsOf(layer, x, positions) });
  });
  for (const [layer, { positions, windows }] of before) {
    visitLayers(network, images, (probe) => {
      if (probe.layer !== layer) return;
      const x = new Tensor(effectiveActivations(probe.activation), probe.input.shape);
      fit.layer({ layer, windows: windowsOf(layer, x, positions), windowsBefore: windows });
      layer.kept[fittedFlag]!.data[0] = 1;
    });
  }
  network.setTraining(true);
}

function visitLayers(network: Network, images: Tensor, visit: (probe: LayerProbe) => void): void {
  inference(() => withProbe(visit, () => network.forward(images)));
}
