import { Batches } from '../../data/batches.ts';
import { type DataSet, imagesOf, type Split } from '../../data/dataset.ts';
import { grid, type Picture, pictureOf, type Shown, shaded, shown } from '../../data/picture.ts';
import { layerName } from '../../models/layer-names.ts';
import type { Network } from '../../models/network.ts';
import { binaryLayersOf, isBinaryLayer, withProbe } from '../../nn/binary-layer.ts';
import { Conv2d } from '../../nn/layers.ts';
import { effectiveActivations, effectiveWeights } from '../../nn/product.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';

const [mostLayers, mostMaps, mostFilters, mostInputs] = [6, 16, 16, 6];

/** What one convolution sees, what it computes with, and its filters. */
export interface LayerView {
  readonly layer: string;
  /** Per image, one tile for each of the first channels: the values that arrive, and what the method makes of them. */
  readonly arriving: readonly Shown[];
  readonly used: readonly Shown[];
  /** One column for each of the first filters, one row for each of the first input channels. */
  readonly filters: Shown;
}

export interface NetworkViews {
  readonly images: readonly { readonly label: string; readonly picture: Shown }[];
  /** Filters of the first, full-precision layer, in colour where the images are; null where the network begins with a binary one. */
  readonly firstFilters: Shown | null;
  readonly layers: readonly LayerView[];
}

/** Every n-th item, at most `count`, the first and the last among them. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}

/** One channel of one image of [N,H,W,C] values. */
function mapOf(values: Float32Array, [, h = 1, w = 1, c = 1]: readonly number[], image: number, channel: number) {
  return shaded(
    Float32Array.from({ length: h * w }, (_, i) => values[(image * h * w + i) * c + channel]!),
    w,
    h,
  );
}

function maps(values: Float32Array, shape: readonly number[], image: number): Picture {
  const channels = Math.min(mostMaps, shape[3] ?? 1);
  return grid(
    Array.from({ length: channels }, (_, c) => mapOf(values, shape, image, c)),
    mostMaps,
  );
}

/** Filters [KH,KW,Cin,Cout] of one layer, side by side on one scale each. */
function filterGrid(weights: Float32Array, kernel: number, outChannels: number): Picture {
  const inputs = weights.length / (kernel * kernel * outChannels);
  const [across, down] = [Math.min(mostFilters, outChannels), Math.min(mostInputs, inputs)];
  const tiles = Array.from({ length: across * down }, (_, i) => {
    const [input, output] = [Math.floor(i / across), i % across];
    const taps = Float32Array.from(
      { length: kernel * kernel },
      (_, tap) => weights[(tap * inputs + input) * outChannels + output]!,
    );
    return shaded(taps, kernel, kernel);
  });
  return grid(tiles, across);
}

/** Filters over three colours, each as one colour picture; over one channel, in gray. */
function firstFilters(network: Network): Picture | null {
  const first = network.modules().find(({ value }) => value instanceof Conv2d || isBinaryLayer(value))?.value;
  if (!(first instanceof Conv2d)) return null;
  const { shape, data } = first.weight;
  const [kernel = 1, , inputs = 1, outputs = 1] = shape;
  if (inputs !== 3) return filterGrid(data, kernel, outputs);
  const tiles = Array.from({ length: Math.min(2 * mostFilters, outputs) }, (_, output) => {
    const values = Float32Array.from({ length: kernel * kernel * 3 }, (_, i) => data[i * outputs + output]!);
    return { ...shaded(values, 3 * kernel, kernel), width: kernel, channels: 3 as const };
  });
  return grid(tiles, mostFilters);
}

/** The first test image of each of the first classes, as a split of its own. */
function examples({ test, classes }: DataSet, count: number): Split {
  const places = classes.map((_, i) => test.labels.indexOf(i)).filter((place) => place >= 0);
  return imagesOf(test, Uint32Array.from(places.slice(0, count)));
}

/**
 * Pictures of a trained network at work on a few test images (survey sec. 1: interpretability): input maps before and after binarization in up
 * to six layers from first to last, and filters.
 */
export async function viewsOf(network: Network, data: DataSet, count = 2): Promise<NetworkViews> {
  const split = examples(data, count);
  const { images, labels, count: seen } = await new Batches(data, split, count).plain(0);
  const names = new Map(spread(binaryLayersOf(network), mostLayers).map(({ name, value }) => [value, layerName(name)]));
  const layers: LayerView[] = [];
  network.setTraining(false);
  withProbe(
    ({ layer, input, activation, filter }) => {
      const name = names.get(layer);
      if (name === undefined) return;
      const each = (values: Float32Array) =>
        Array.from({ length: seen }, (_, i) => shown(maps(values, input.shape, i)));
      layers.push({
        layer: name,
        arriving: each(input.data),
        used: each(effectiveActivations(activation)),
        filters: shown(filterGrid(effectiveWeights(filter), layer.options.kernel, layer.options.outChannels)),
      });
    },
    () => inference(() => network.forward(new Tensor(images, [seen, ...data.shape]))),
  );
  const first = firstFilters(network);
  return {
    images: Array.from(labels, (label, i) => ({
      label: data.classes[label]!,
      picture: shown(pictureOf(images, i, data)),
    })),
    firstFilters: first && shown(first),
    layers,
  };
}
