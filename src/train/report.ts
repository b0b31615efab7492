import type { Network } from '../models/network.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import type { TrainConfig } from './config.ts';
import type { Evaluation } from './evaluate.ts';
import { chartLibrary, escapeHtml, kilobytes, pageStyle, percent, table } from './report-page.ts';
import type { EpochMetrics } from './run-folder.ts';

/** What the report adds when the network was packed. */
export interface PackedFigures {
  readonly accuracy: number;
  readonly fileBytes: number;
  readonly floatBytes: number;
}

export interface ReportInput {
  readonly config: TrainConfig;
  readonly command: string;
  readonly metrics: readonly EpochMetrics[];
  readonly evaluation: Evaluation;
  readonly classes: readonly string[];
  readonly network: Network;
  readonly packed?: PackedFigures;
}

function confusionTable({ confusion }: Evaluation, classes: readonly string[]): string {
  if (classes.length > 50) return `<p>${classes.length} classes: the matrix is in <code>metrics.jsonl</code>.</p>`;
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
  return `<div class="wide"><table class="confusion"><thead><tr><th>true \\ predicted</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
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
.confusion td{border:1px solid var(--paper);min-width:2.2rem;text-align:center}.turned{vertical-align:bottom;text-align:center}.turned span{writing-mode:vertical-rl;transform:rotate(180deg)}
.histograms{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.8rem}figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.5rem}figcaption{font-size:.75rem;color:var(--soft);text-align:center}svg rect{fill:var(--accent)}svg line{stroke:var(--soft);stroke-dasharray:2 2}`;

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

/** The whole report as one HTML page without external files. */
export function reportHtml({ config, command, metrics, evaluation, classes, network, packed }: ReportInput): string {
  const { script, style: chartStyle } = chartLibrary();
  const last = metrics.at(-1);
  const seconds = metrics.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const figures: [string, string][] = [
    ['test accuracy', percent(evaluation.top1)],
    ...(classes.length > 10 ? [['top-5', percent(evaluation.top5)] as [string, string]] : []),
    ...(packed
      ? ([
          ['packed accuracy', percent(packed.accuracy)],
          ['packed file', kilobytes(packed.fileBytes)],
          [
            'float32 weights',
            `${kilobytes(packed.floatBytes)} (${(packed.floatBytes / packed.fileBytes).toFixed(1)}x)`,
          ],
        ] as [string, string][])
      : []),
    ['images per second', (last?.imagesPerSecond ?? 0).toFixed(0)],
    ['training time', `${(seconds / 60).toFixed(1)} min`],
  ];
  const layers = last?.layers ?? [];
  const layerRows = layers.map((layer) => [
    escapeHtml(layer.layer),
    percent(layer.signFlips, 3),
    percent(layer.saturation, 1),
    layer.quantizationError?.toFixed(3) ?? '–',
    layer.stuckWeights === undefined ? '–' : percent(layer.stuckWeights, 1),
    layer.gradientNorm.toExponential(2),
    percent(layer.constantFilters, 1),
  ]);
  const latents = network
    .modules()
    .filter((m): m is { name: string; value: BinaryConv2d } => m.value instanceof BinaryConv2d);
  const data = JSON.stringify(metrics).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(config.model)} / ${escapeHtml(config.method)} on ${escapeHtml(config.data)} — Signum</title>
<style>${chartStyle}${pageStyle}${style}</style><body>
<h1>${escapeHtml(config.model)} · ${escapeHtml(network.method.title)}</h1><p class="sub">${escapeHtml(config.data)}, ${metrics.length} epochs, batch ${config.batch}, seed ${config.seed} · ${network.method.bits.weight}-bit weights, ${network.method.bits.activation}-bit activations · ${escapeHtml(network.method.paper)}</p>
<div class="figures">${figures.map(([label, value]) => `<div><b>${value}</b><span>${label}</span></div>`).join('')}</div>
<h2>Curves</h2><div class="charts"><div class="chart" id="accuracy"><h3>Accuracy, %</h3></div><div class="chart" id="loss"><h3>Loss</h3></div></div>
<h2>Confusion matrix</h2>${confusionTable(evaluation, classes)}
${layers.length > 0 ? `<h2>Binary layers, last epoch</h2>${table(['layer', 'sign flips', '|x| ≥ 1', 'quantization error', 'stuck |w| > 1', 'gradient norm', 'constant filters'], layerRows)}<h2>Share of weights that change sign, % per epoch</h2><div class="chart" id="flips"></div>` : ''}
<h2>Latent weights</h2><div class="histograms">${latents.map(({ name, value }) => histogramSvg(value.weight.data, name.replace(/^body\.layers\./, '').replace(/\.conv$/, ''))).join('')}</div>
<h2>Reproduce</h2><pre>${escapeHtml(command)}</pre>
<script>${script}</script><script>${chartScript.replace('METRICS', () => data)}</script></body></html>
`;
}
