import { pixelsText } from '../data/digest.ts';
import { layerName } from '../models/layer-names.ts';
import type { Network } from '../models/network.ts';
import { binaryLayersOf } from '../nn/binary-layer.ts';
import {
  type Curves,
  chartBox,
  chartBoxes,
  epochSteps,
  type Html,
  h,
  kilobytes,
  matrix,
  pageHtml,
  percent,
  type Section,
  table,
  together,
} from '../report/index.ts';
import { type FigureName, figureText } from '../tasks/figures.ts';
import type { TrainConfig } from './config.ts';
import { drawingsHtml, type ShownDrawing } from './drawings.ts';
import type { LayerMetrics } from './layer-metrics.ts';
import { stagesTable } from './report-stages.ts';
import { type EpochMetrics, figureIn } from './run-folder.ts';

/** What the report adds when the network was packed. */
export interface PackedFigures {
  /** The first figure of its task, accuracy of classifiers; null until the packed network is evaluated. */
  readonly accuracy: number | null;
  readonly fileBytes: number;
  readonly floatBytes: number;
}

/** A figure of the run's task with its value; null where that is not finite. */
export interface ReportedFigure extends FigureName {
  readonly value: number | null;
}

export interface ReportInput {
  readonly config: TrainConfig;
  readonly command: string;
  /** Whether the images are those that were published; undefined where that is not known. */
  readonly originalPixels?: boolean | undefined;
  readonly metrics: readonly EpochMetrics[];
  /** On the test images, the one that ranks runs first. */
  readonly figures: readonly ReportedFigure[];
  /** Of a classifier: [true class][predicted class]. */
  readonly confusion?: readonly (readonly number[])[];
  readonly classes: readonly string[];
  readonly network: Network;
  readonly drawings: readonly ShownDrawing[];
  readonly packed: PackedFigures | null;
}

function confusionTable(confusion: NonNullable<ReportInput['confusion']>, classes: readonly string[]): Html {
  if (classes.length > 50)
    return h('p', {}, `${classes.length} classes: the matrix is in `, h('code', {}, 'evaluation.json'), '.');
  const rows = confusion.map((row, truth) => {
    const total = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    );
    const cells = row.map((count, predicted) => {
      const hue = truth === predicted ? '152' : '8';
      const strength = truth === predicted ? 0.75 * (count / total) : Math.min(0.85, 4 * (count / total));
      const style = `background:hsl(${hue} 70% 45% / ${strength.toFixed(3)})`;
      const title = `${classes[truth]!} taken for ${classes[predicted]!}: ${count}`;
      return h('td', { style, title }, count || '·');
    });
    return { name: classes[truth]!, cells };
  });
  return matrix('confusion', 'true', classes, rows);
}

/** Counts of latent weights in 41 bins over [-limit, limit]. */
function histogram(weights: Float32Array): { limit: number; counts: number[] } {
  const bins = 41;
  const limit = Math.max(
    1e-6,
    weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0),
  );
  const counts = new Array<number>(bins).fill(0);
  for (const w of weights) counts[Math.min(bins - 1, Math.floor(((w / limit + 1) / 2) * bins))]!++;
  return { limit, counts };
}

function histogramSvg(weights: Float32Array, name: string): Html {
  const { limit, counts } = histogram(weights);
  const most = Math.max(...counts);
  const bars = counts.map((count, i) => {
    const high = (58 * count) / most;
    return h('rect', { x: i * 4, y: (60 - high).toFixed(1), width: 3.4, height: high.toFixed(1) });
  });
  const zero = h('line', { x1: 82, x2: 82, y1: 0, y2: 62 });
  const drawing = h(
    'svg',
    { viewBox: '0 0 164 62', role: 'img', 'aria-label': `latent weights of ${name}` },
    bars,
    zero,
  );
  return h('figure', {}, drawing, h('figcaption', {}, name, h('br', {}), `±${limit.toPrecision(2)}`));
}

const [gray, blue, green] = ['#8a94a6', '#2f6bff', '#2aa876'];
const layerColor = (i: number) => `hsl(${(i * 47) % 360} 65% 50%)`;

/** What is drawn over the epochs: the first figure and the loss, and the sign flips of every binary layer where there are some. */
function chartsOf(
  metrics: readonly EpochMetrics[],
  first: FigureName,
): {
  readonly learning: readonly Curves[];
  readonly flips: Curves | null;
} {
  const chart = (id: string, heading: string | undefined, curves: Curves['curves']): Curves => ({
    kind: 'curves',
    id,
    heading,
    label: 'epoch',
    x: metrics.map(({ epoch }) => epoch + 1),
    curves,
    steps: epochSteps,
    height: 230,
    legend: true,
    dots: metrics.length < 30,
  });
  const values = (of: (epoch: EpochMetrics) => number | null) => metrics.map(of);
  const layers = metrics[0]?.layers ?? [];
  const flips = layers.map(({ layer }, i) => ({
    label: layer,
    color: layerColor(i),
    values: values((epoch) => percentOf(epoch.layers[i]?.signFlips)),
  }));
  const unit = first.isShare ? ' %' : '';
  const curve = (images: 'train' | 'validation' | 'test', color: string) => {
    const seen = values((epoch) => figureIn(epoch, images, first.name) ?? null);
    const scaled = first.isShare ? seen.map((value) => percentOf(value ?? undefined)) : seen;
    return seen.some((value) => value !== null) ? [{ label: `${images}${unit}`, color, values: scaled }] : [];
  };
  const heading = `${first.title.charAt(0).toUpperCase()}${first.title.slice(1)}${first.isShare ? ', %' : ''}`;
  return {
    learning: [
      chart(first.name, heading, [...curve('train', gray), ...curve('validation', green), ...curve('test', blue)]),
      chart('loss', 'Loss', [
        { label: 'train', color: gray, values: values(({ trainLoss }) => trainLoss) },
        ...(metrics.some(({ testLoss }) => testLoss !== undefined)
          ? [{ label: 'test', color: blue, values: values(({ testLoss }) => testLoss ?? null) }]
          : []),
      ]),
    ],
    flips: flips.length > 0 ? chart('flips', undefined, flips) : null,
  };
}
const percentOf = (share: number | undefined) => (share === undefined ? null : 100 * share);

interface Column {
  readonly title: string;
  /** What it is, what is normal, and what is not. */
  readonly meaning: string;
  readonly cell: (layer: LayerMetrics) => string;
}

const columns: readonly Column[] = [
  {
    title: 'sign flips',
    meaning:
      'Weights whose sign differs from an epoch before. High at first, near 0 at the end; 0 from the start means that the layer does not learn.',
    cell: ({ signFlips }) => percent(signFlips, 3),
  },
  {
    title: '|x| ≥ 1',
    meaning:
      'Inputs of the layer outside (−1, 1), where a clipped slope passes no gradient back. A third is usual, more than half costs accuracy.',
    cell: ({ saturation }) => percent(saturation, 1),
  },
  {
    title: 'quantization error',
    meaning:
      '‖w − q(w)‖ / ‖w‖: how far the binary weights are from the latent float ones. 0.6 is that of normal weights by signs times their mean; without such a scale it is far above 1, which batch-norm makes up for.',
    cell: ({ quantizationError }) => quantizationError?.toFixed(3) ?? '–',
  },
  {
    title: 'stuck |w| > 1',
    meaning: 'Latent weights beyond ±1 where the method passes them no gradient: they cannot change sign any more.',
    cell: ({ stuckWeights }) => (stuckWeights === undefined ? '–' : percent(stuckWeights, 1)),
  },
  {
    title: 'gradient norm',
    meaning:
      'Length of the last gradient of the latent weights. 0 or NaN is a fault; layers far apart learn at different rates.',
    cell: ({ gradientNorm }) => gradientNorm.toExponential(2),
  },
  {
    title: 'constant filters',
    meaning: 'Filters whose weights all have one sign: they only sum what is under them. Should be 0.',
    cell: ({ constantFilters }) => percent(constantFilters, 1),
  },
];

function layerTable(layers: readonly LayerMetrics[]): Html {
  const rows = layers.map((layer) => [layer.layer, ...columns.map(({ cell }) => cell(layer))]);
  const heads = columns.map(({ title, meaning }) => h('span', { title: meaning }, title));
  const terms = columns.map(({ title, meaning }) => [h('dt', {}, title), h('dd', {}, meaning)]);
  return together(table(['layer', ...heads], rows), h('dl', {}, terms));
}

function figuresOf({ figures, classes, metrics, packed }: ReportInput): [string, string][] {
  const [first] = figures as [ReportedFigure];
  const seconds = metrics.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const ofPacked: [string, string][] = packed
    ? [
        [`packed ${first.title}`, packed.accuracy === null ? 'not measured' : figureText(first, packed.accuracy)],
        [`packed file, ${(packed.floatBytes / packed.fileBytes).toFixed(1)}x smaller`, kilobytes(packed.fileBytes)],
        ['float32 weights', kilobytes(packed.floatBytes)],
      ]
    : [['packed network', 'none yet']];
  return [
    ...figures
      .filter(({ fromClasses = 0 }) => classes.length >= fromClasses)
      .map((figure): [string, string] => [`test ${figure.title}`, figureText(figure, figure.value ?? Number.NaN)]),
    ...ofPacked,
    ['images per second, training', (metrics.at(-1)?.imagesPerSecond ?? 0).toFixed(0)],
    ['training time', `${(seconds / 60).toFixed(1)} min`],
  ];
}

/** What to type for figures that the page does not have. */
function missing(packed: PackedFigures | null, { title }: FigureName): string {
  if (!packed)
    return '\n# packs the network, proves it equal bit for bit, and puts its size here\nsignum pack <this folder>';
  return packed.accuracy === null
    ? `\n# evaluates the packed network and puts its ${title} here\nsignum eval <this folder> --packed`
    : '';
}

/** The whole report as one HTML page without external files. */
export function reportHtml(input: ReportInput): string {
  const { config, command, metrics, figures, confusion, classes, network, drawings, packed } = input;
  const layers = metrics.at(-1)?.layers ?? [];
  const latents = binaryLayersOf(network);
  const { learning, flips } = chartsOf(metrics, figures[0]!);
  const stages = stagesTable(config);
  const sections: Section[] = [
    { title: 'Curves', content: chartBoxes(learning), charts: learning },
    ...(stages
      ? [
          {
            title: 'Stages',
            note: 'Trainings one after the other, each from the weights of the one before, with an optimiser of its own.',
            content: stages,
          },
        ]
      : []),
    ...(confusion
      ? [
          {
            title: 'Confusion matrix',
            note: 'Test images: rows are what they are, columns what the network takes them for. Green is right, red is wrong.',
            content: confusionTable(confusion, classes),
          },
        ]
      : []),
    ...(drawings.length > 0
      ? [
          {
            title: confusion ? `The ${drawings.length} most confident mistakes` : 'Answers',
            short: confusion ? 'Mistakes' : 'Answers',
            note: confusion
              ? 'Wrongly classified test images, the surest first. Some may be labelled wrongly.'
              : 'Test images that the task shows.',
            content: drawingsHtml(drawings),
          },
        ]
      : []),
    ...(layers.length > 0
      ? [
          { title: 'Binary layers, last epoch', short: 'Layers', content: layerTable(layers) },
          ...(flips
            ? [
                {
                  title: 'Share of weights that change sign, % per epoch',
                  short: 'Sign flips',
                  content: chartBox(flips),
                  charts: [flips],
                },
              ]
            : []),
        ]
      : []),
    ...(latents.length > 0
      ? [
          {
            title: 'Latent weights',
            note: 'How many weights of each layer have which value before they are binarized; the dashed line is 0, the edges are ± the number below. Two heaps away from 0: the layer is decided; one heap at 0: signs still flip easily.',
            content: h(
              'div',
              { class: 'histograms' },
              latents.map(({ name, value }) => histogramSvg(value.weight.data, layerName(name))),
            ),
          },
        ]
      : []),
    { title: 'Reproduce', content: h('pre', {}, `${command}${missing(packed, figures[0]!)}`) },
  ];
  const { method } = network;
  return pageHtml({
    title: `${config.model} / ${config.method} on ${config.data}`,
    heading: `${config.model} · ${method.title}`,
    sub: `${[config.data, pixelsText(input.originalPixels)].filter(Boolean).join(', ')}, ${metrics.length} epochs, batch ${config.batch}, seed ${config.seed} · ${method.bits.weight}-bit weights, ${method.bits.activation}-bit activations · ${method.paper}`,
    figures: figuresOf(input),
    sections,
  });
}
