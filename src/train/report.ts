import { pixelsText } from '../data/digest.ts';
import { layerName } from '../models/layer-names.ts';
import type { Network } from '../models/network.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import type { TrainConfig } from './config.ts';
import type { Evaluation } from './evaluate.ts';
import type { LayerMetrics } from './layer-metrics.ts';
import { mistakesHtml, type ShownMistake } from './mistakes.ts';
import { escapeHtml, kilobytes, pageHtml, percent, type Section, table } from './report-page.ts';
import type { EpochMetrics } from './run-folder.ts';

/** What the report adds when the network was packed. */
export interface PackedFigures {
  /** Null until the packed network is evaluated. */
  readonly accuracy: number | null;
  readonly fileBytes: number;
  readonly floatBytes: number;
}

export interface ReportInput {
  readonly config: TrainConfig;
  readonly command: string;
  /** Whether the images are those that were published; undefined where that is not known. */
  readonly originalPixels?: boolean | undefined;
  readonly metrics: readonly EpochMetrics[];
  readonly evaluation: Evaluation;
  readonly classes: readonly string[];
  readonly network: Network;
  readonly mistakes: readonly ShownMistake[];
  readonly packed: PackedFigures | null;
}

function confusionTable({ confusion }: Evaluation, classes: readonly string[]): string {
  if (classes.length > 50) return `<p>${classes.length} classes: the matrix is in <code>evaluation.json</code>.</p>`;
  const rows = confusion.map((row, truth) => {
    const total = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    );
    const cells = row.map((count, predicted) => {
      const hue = truth === predicted ? '152' : '8';
      const strength = truth === predicted ? 0.75 * (count / total) : Math.min(0.85, 4 * (count / total));
      return `<td style="background:hsl(${hue} 70% 45% / ${strength.toFixed(3)})" title="${escapeHtml(classes[truth]!)} taken for ${escapeHtml(classes[predicted]!)}: ${count}">${count || '·'}</td>`;
    });
    return `<tr><th>${escapeHtml(classes[truth]!)}</th>${cells.join('')}</tr>`;
  });
  const head = classes.map((name) => `<th class="turned"><span>${escapeHtml(name)}</span></th>`).join('');
  return `<div class="wide"><table class="confusion"><thead><tr><th>true</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
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

function histogramSvg(weights: Float32Array, name: string): string {
  const { limit, counts } = histogram(weights);
  const most = Math.max(...counts);
  const bars = counts.map(
    (count, i) =>
      `<rect x="${i * 4}" y="${(60 - (58 * count) / most).toFixed(1)}" width="3.4" height="${((58 * count) / most).toFixed(1)}"/>`,
  );
  return `<figure><svg viewBox="0 0 164 62" role="img" aria-label="latent weights of ${escapeHtml(name)}">${bars.join('')}<line x1="82" x2="82" y1="0" y2="62"/></svg><figcaption>${escapeHtml(name)}<br>±${limit.toPrecision(2)}</figcaption></figure>`;
}

const style = `
.confusion td{border:1px solid var(--paper);min-width:2.2rem;text-align:center}@media(max-width:600px){.confusion td,.confusion th{padding:.25rem .15rem;min-width:1.35rem;font-size:.75rem}}.confusion tbody th{position:sticky;left:0;background:var(--paper)}.turned{vertical-align:bottom;text-align:center}.turned span{writing-mode:vertical-rl;transform:rotate(180deg)}
.histograms{display:grid;grid-template-columns:repeat(auto-fill,minmax(130px,1fr));gap:.8rem}.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:.8rem}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.5rem;min-width:0}figcaption{font-size:.75rem;color:var(--soft);text-align:center}figcaption b{color:var(--ink);font-weight:600}
.mistakes img{image-rendering:pixelated;display:block;margin:0 auto .3rem;max-width:100%}svg rect{fill:var(--accent)}svg line{stroke:var(--soft);stroke-dasharray:2 2}`;

const chartScript = `
const ink=getComputedStyle(document.body).getPropertyValue('--soft');
function chart(id,x,series){const host=document.getElementById(id);const width=host.clientWidth-2;
 new uPlot({width,height:230,scales:{x:{time:false}},axes:[{stroke:ink,grid:{stroke:'#8883'},label:'epoch',labelSize:18,incrs:[1,2,5,10,20,50,100,200]},{stroke:ink,grid:{stroke:'#8883'},size:58}],
 series:[{label:'epoch'},...series.map(s=>({label:s.label,stroke:s.color,width:2,points:{show:x.length<30}}))]},[x,...series.map(s=>s.values)],host)}
const m=METRICS;const epochs=m.map(e=>e.epoch+1);
chart('accuracy',epochs,[{label:'train %',color:'#8a94a6',values:m.map(e=>100*e.trainAccuracy)},{label:'test %',color:'#2f6bff',values:m.map(e=>100*e.testAccuracy)}]);
chart('loss',epochs,[{label:'train',color:'#8a94a6',values:m.map(e=>e.trainLoss)},{label:'test',color:'#2f6bff',values:m.map(e=>e.testLoss)}]);
const palette=i=>'hsl('+(i*47)%360+' 65% 50%)';
if(m[0]&&m[0].layers.length)chart('flips',epochs,m[0].layers.map((l,i)=>({label:l.layer,color:palette(i),values:m.map(e=>100*e.layers[i].signFlips)})));`;

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

function layerTable(layers: readonly LayerMetrics[]): string {
  const rows = layers.map((layer) => [escapeHtml(layer.layer), ...columns.map(({ cell }) => cell(layer))]);
  const heads = columns.map(({ title, meaning }) => `<span title="${escapeHtml(meaning)}">${title}</span>`);
  const terms = columns.map(({ title, meaning }) => `<dt>${title}</dt><dd>${meaning}</dd>`);
  return `${table(['layer', ...heads], rows)}<dl>${terms.join('')}</dl>`;
}

function figuresOf({ evaluation, classes, metrics, packed }: ReportInput): [string, string][] {
  const seconds = metrics.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const ofPacked: [string, string][] = packed
    ? [
        ['packed accuracy', packed.accuracy === null ? 'not measured' : percent(packed.accuracy)],
        [`packed file, ${(packed.floatBytes / packed.fileBytes).toFixed(1)}x smaller`, kilobytes(packed.fileBytes)],
        ['float32 weights', kilobytes(packed.floatBytes)],
      ]
    : [['packed network', 'none yet']];
  return [
    ['test accuracy', percent(evaluation.top1)],
    ...(classes.length > 10 ? [['top-5 accuracy', percent(evaluation.top5)] as [string, string]] : []),
    ...ofPacked,
    ['images per second, training', (metrics.at(-1)?.imagesPerSecond ?? 0).toFixed(0)],
    ['training time', `${(seconds / 60).toFixed(1)} min`],
  ];
}

/** What to type for figures that the page does not have. */
function missing(packed: PackedFigures | null): string {
  if (!packed)
    return '\n# packs the network, proves it equal bit for bit, and puts its size here\nsignum pack <this folder>';
  return packed.accuracy === null
    ? '\n# evaluates the packed network and puts its accuracy here\nsignum eval <this folder> --packed'
    : '';
}

/** The whole report as one HTML page without external files. */
export function reportHtml(input: ReportInput): string {
  const { config, command, metrics, evaluation, classes, network, mistakes, packed } = input;
  const layers = metrics.at(-1)?.layers ?? [];
  const latents = network
    .modules()
    .filter((m): m is { name: string; value: BinaryConv2d } => m.value instanceof BinaryConv2d);
  const data = JSON.stringify(metrics).replaceAll('<', '\\u003c');
  const sections: Section[] = [
    {
      title: 'Curves',
      html: '<div class="charts"><div class="chart" id="accuracy"><h3>Accuracy, %</h3></div><div class="chart" id="loss"><h3>Loss</h3></div></div>',
    },
    {
      title: 'Confusion matrix',
      note: 'Test images: rows are what they are, columns what the network takes them for. Green is right, red is wrong.',
      html: confusionTable(evaluation, classes),
    },
    ...(mistakes.length > 0
      ? [
          {
            title: `The ${mistakes.length} most confident mistakes`,
            short: 'Mistakes',
            note: 'Wrongly classified test images, the surest first. Some may be labelled wrongly.',
            html: mistakesHtml(mistakes),
          },
        ]
      : []),
    ...(layers.length > 0
      ? [
          { title: 'Binary layers, last epoch', short: 'Layers', html: layerTable(layers) },
          {
            title: 'Share of weights that change sign, % per epoch',
            short: 'Sign flips',
            html: '<div class="chart" id="flips"></div>',
          },
        ]
      : []),
    ...(latents.length > 0
      ? [
          {
            title: 'Latent weights',
            note: 'How many weights of each layer have which value before they are binarized; the dashed line is 0, the edges are ± the number below. Two heaps away from 0: the layer is decided; one heap at 0: signs still flip easily.',
            html: `<div class="histograms">${latents.map(({ name, value }) => histogramSvg(value.weight.data, layerName(name))).join('')}</div>`,
          },
        ]
      : []),
    { title: 'Reproduce', html: `<pre>${escapeHtml(`${command}${missing(packed)}`)}</pre>` },
  ];
  const { method } = network;
  return pageHtml({
    title: `${config.model} / ${config.method} on ${config.data}`,
    heading: `${config.model} · ${method.title}`,
    sub: `${[config.data, pixelsText(input.originalPixels)].filter(Boolean).join(', ')}, ${metrics.length} epochs, batch ${config.batch}, seed ${config.seed} · ${method.bits.weight}-bit weights, ${method.bits.activation}-bit activations · ${method.paper}`,
    figures: figuresOf(input),
    sections,
    style,
    script: chartScript.replace('METRICS', () => data),
  });
}
