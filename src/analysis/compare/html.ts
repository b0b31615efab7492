import { escapeHtml, kilobytes, pageHtml, percent, type Section, table } from '../../train/report-page.ts';
import { viewsStyle } from '../views/html.ts';
import { budgetText, type Comparison, commandsOf, pixelsOf, type Row } from './comparison.ts';
import { layerHeatMaps } from './heat-map.ts';
import { accuracyText, bitsText, imagesPerSecond, packedText } from './markdown.ts';
import { paretoFront, type Tradeoff } from './pareto.ts';

const style = `
.heat td{min-width:1.9rem;padding:.15rem .25rem;text-align:center;font-size:.72rem;border:1px solid var(--paper)}.heat th{font-weight:500}.heat tbody th{position:sticky;left:0;background:var(--paper)}.turned{vertical-align:bottom;text-align:center}.turned span{writing-mode:vertical-rl;transform:rotate(180deg)}
.dot{position:absolute;width:9px;height:9px;margin:-5px 0 0 -5px;border-radius:50%;border:1.5px solid var(--card)}.tag{position:absolute;font-size:11px;color:var(--ink);white-space:nowrap;transform:translate(7px,-50%)}
.charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}.key{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.82rem;color:var(--soft);margin:0 0 .6rem}.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.35rem}
.ranking td:nth-child(2),.ranking th:nth-child(2),.ranking td:last-child,.ranking th:last-child{text-align:left}.ranking td:last-child{white-space:normal;min-width:11rem}.ranking td:nth-child(2){position:sticky;left:0;background:var(--paper)}.ranking thead th:nth-child(2){left:0;z-index:2}
.charts+.wide{margin-top:1rem}pre{font-size:.75rem}@media(max-width:600px){.ranking td:first-child,.ranking th:first-child{display:none}.ranking td:last-child{white-space:nowrap}}`;

/** Colours by bits of weights and activations, of the dots. */
const dotColors: Record<string, string> = { '1/1': '#2f6bff', '1/32': '#e2662a', '32/32': '#8a94a6' };
const otherBits = '#1f9d61';
export const curveColors = [
  '#2f6bff',
  '#e2662a',
  '#1f9d61',
  '#9b4dca',
  '#c2a000',
  '#d6336c',
  '#0aa2c0',
  '#6b8e23',
  '#a0522d',
  '#5b6577',
];

const script = `
const css=name=>getComputedStyle(document.documentElement).getPropertyValue(name);
const grid={stroke:'#8883'};
function scatter(id,points,front,label){const host=document.getElementById(id);
 const xs=[...new Set(points.map(p=>p.cost))].sort((a,b)=>a-b);const best=new Map(front.map(p=>[p.cost,p.accuracy]));let level=null;
 const step=xs.map(x=>{if(best.has(x))level=best.get(x);return level});
 const [least,most]=[xs[0],xs.at(-1)*1.0001];const wide=most>5*least;
 const ticks=[-2,-1,0,1,2,3,4,5].flatMap(e=>[1,2,5].map(d=>+(d*10**e).toPrecision(1)));
 const lo=Math.min(...points.map(p=>p.accuracy)),hi=Math.max(...points.map(p=>p.accuracy));
 new uPlot({width:host.clientWidth-2,height:340,legend:{show:false},cursor:{show:false},scales:{x:{time:false,distr:wide?3:1,range:wide?[least/1.15,most*1.7]:[least-.05*(most-least),most+.2*(most-least)]},y:{range:[lo-2,hi+2]}},
  axes:[{stroke:css('--soft'),grid,label,labelSize:18,...(wide?{splits:()=>ticks.filter(t=>t>=least/1.15&&t<=most*1.7),filter:(u,t)=>t,values:(u,t)=>t.map(String)}:{})},{stroke:css('--soft'),grid,size:50}],
  series:[{},{stroke:css('--soft'),width:1,dash:[4,4],points:{show:false},paths:uPlot.paths.stepped({align:1})}],
  hooks:{ready:[u=>{for(const p of points){const dot=document.createElement('span');dot.className='dot';dot.style.background=p.color;dot.title=p.label+': '+p.accuracy.toFixed(2)+' %, '+p.cost.toPrecision(3)+' '+label;
   dot.style.left=u.valToPos(p.cost,'x')+'px';dot.style.top=u.valToPos(p.accuracy,'y')+'px';u.over.append(dot)}
   const placed=[];
   for(const p of [...front].sort((a,b)=>b.accuracy-a.accuracy)){const tag=document.createElement('span');tag.className='tag';tag.textContent=p.label;tag.style.left=u.valToPos(p.cost,'x')+'px';tag.style.top=u.valToPos(p.accuracy,'y')+'px';u.over.append(tag);
    const box=tag.getBoundingClientRect();if(placed.some(b=>b.left<box.right&&box.left<b.right&&b.top<box.bottom&&box.top<b.bottom))tag.remove();else placed.push(box)}}]}},[xs,step],host)}
function curves(id,series,xs,label,incrs){const host=document.getElementById(id);
 new uPlot({width:host.clientWidth-2,height:300,legend:{show:series.length<=12},scales:{x:{time:false}},axes:[{stroke:css('--soft'),grid,label,labelSize:18,...(incrs?{incrs}:{})},{stroke:css('--soft'),grid,size:50}],
  series:[{label},...series.map(s=>({label:s.label,stroke:s.color,width:s.width,points:{show:false}}))]},[xs,...series.map(s=>xs.map((_,i)=>s.values[i]??null))],host)}
`;

const colorOf = (row: Row): string => dotColors[bitsText(row)] ?? otherBits;

function tradeoffs(rows: readonly Row[], costOf: (row: Row) => number | null): (Tradeoff & { color: string })[] {
  return rows.flatMap((row) => {
    const cost = costOf(row);
    if (cost === null || !row.accuracy) return [];
    return [{ label: row.label, cost, accuracy: 100 * row.accuracy.mean, color: colorOf(row) }];
  });
}

function ranking(rows: readonly Row[], several: boolean): string {
  const head = [
    '',
    'method',
    'accuracy %',
    'W/A',
    ...(several ? ['model, data'] : []),
    'seeds',
    'packed',
    'packed size',
  ];
  head.push('latency ms', 'training img/s', 'published %');
  const lines = rows.map((row, i) => [
    String(i + 1),
    `<span title="${escapeHtml(`${row.method.title}, ${row.method.paper}`)}">${escapeHtml(row.label)}</span>`,
    accuracyText(row),
    bitsText(row),
    ...(several ? [escapeHtml(`${row.model}, ${row.data}`)] : []),
    String(row.runs.length),
    packedText(row),
    row.packedBytes === null ? '–' : kilobytes(row.packedBytes),
    row.latencyMs?.toFixed(2) ?? '–',
    imagesPerSecond(row).toFixed(0),
    escapeHtml(row.published ?? '–'),
  ]);
  return table(head, lines, lines.length > 20 ? 'tall' : '');
}

/** Test accuracy per epoch of each row's first run, the best ten in colour. */
function curveSeries(rows: readonly Row[]): Curve[] {
  const shown = rows.filter(({ accuracy }) => accuracy);
  const series = shown.map((row, i) => ({
    label: row.label,
    color: curveColors[i] ?? '#8a94a655',
    width: i < curveColors.length ? 2 : 1,
    values: row.runs[0]!.metrics.map(({ testAccuracy }) => Math.round(1e4 * testAccuracy) / 100),
  }));
  // the best ones are drawn last, on top
  return series.reverse();
}

export interface Curve {
  readonly label: string;
  readonly color: string;
  readonly width: number;
  readonly values: readonly number[];
}

/** The script's call that draws curves over `xs`; `steps`: between the ticks. */
export const curvesCall = (
  id: string,
  series: readonly Curve[],
  xs: readonly number[],
  label: string,
  steps?: readonly number[],
): string =>
  `curves(${[id, series, xs, label, ...(steps ? [steps] : [])].map((value) => JSON.stringify(value)).join(',')})`;

function epochCurves(id: string, series: readonly Curve[]): string {
  const epochs = Array.from({ length: Math.max(...series.map(({ values }) => values.length)) }, (_, i) => i + 1);
  return curvesCall(id, series, epochs, 'epoch', [1, 2, 5, 10, 20, 50, 100]);
}

/** Colours and what they stand for. */
const keyHtml = (entries: readonly (readonly [name: string, color: string])[]): string =>
  `<div class="key">${entries.map(([name, color]) => `<span><i style="background:${color}"></i>${escapeHtml(name)}</span>`).join('')}</div>`;

interface Drawn {
  readonly sections: readonly Section[];
  readonly calls: readonly string[];
}

/** One model on one data set: its Pareto plots, its curves and what went on in its layers. */
function charts(rows: readonly Row[], place: number, suffix: string): Drawn {
  const bySize = tradeoffs(rows, ({ packedBytes }) => packedBytes && packedBytes / 1000);
  const byLatency = tradeoffs(rows, ({ latencyMs }) => latencyMs);
  const series = curveSeries(rows);
  const plot = (id: string, points: typeof bySize, label: string) =>
    points.length > 0
      ? [`scatter('${id}',${JSON.stringify(points)},${JSON.stringify(paretoFront(points))},'${label}')`]
      : [];
  const calls = [
    ...plot(`size${place}`, bySize, 'packed kB'),
    ...plot(`latency${place}`, byLatency, 'ms per image'),
    ...(series.length > 0 ? [epochCurves(`curves${place}`, series)] : []),
  ];
  const bits = keyHtml([...Object.entries(dotColors), ['other bits', otherBits]]);
  const colored = series.filter(({ color }) => curveColors.includes(color)).reverse();
  const names = keyHtml([
    ...colored.map(({ label, color }) => [label, color] as const),
    ...(series.length > colored.length ? [[`the ${series.length - colored.length} others`, '#8a94a6'] as const] : []),
  ]);
  const seed = rows[0]?.runs[0]?.seed ?? '';
  return {
    sections: [
      {
        title: `Size, speed and accuracy${suffix}`,
        note: 'Up and to the left is better. Colours are bits of weights and activations; the dashed line joins the rows that no other beats in both.',
        html: `${bits}<div class="charts"><div class="chart" id="size${place}"><h3>Accuracy % against packed size</h3></div><div class="chart" id="latency${place}"><h3>Accuracy % against latency of one image</h3></div></div>`,
      },
      {
        title: `Test accuracy by epoch${suffix}`,
        short: `Curves${suffix}`,
        note: `Percent, seed ${seed}; the best ten in colour.`,
        html: `<div class="chart" id="curves${place}"></div>${series.length > 12 ? names : ''}`,
      },
      ...layerHeatMaps(rows, suffix),
    ],
    calls,
  };
}

/** A further analysis, for the page and for the Markdown report. */
export interface ReportSection extends Section {
  /** Calls of the page's script, if it draws. */
  readonly calls: readonly string[];
  readonly markdown: string;
}

/** The whole comparison as one HTML page without external files; `analyses` are further ones of it. */
export function comparisonHtml(
  comparison: Comparison,
  latencyMachine: string,
  analyses: readonly ReportSection[] = [],
): string {
  const { plan, rows, open } = comparison;
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${row.model} on ${row.data}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const drawn = [...groups].map(([name, group], place) => charts(group, place, groups.size > 1 ? `: ${name}` : ''));
  const best = rows.find(({ method, accuracy }) => accuracy && method.family !== 'float');
  const failures = rows.filter(({ failed }) => failed);
  const commands = rows.flatMap(commandsOf).map(escapeHtml).join('\n');
  return pageHtml({
    title: plan.title,
    heading: plan.title,
    sub: ['The same images in the same order and the same first weights for all methods of a seed', pixelsOf(rows)]
      .filter(Boolean)
      .join(' · '),
    figures: [
      ['rows', String(rows.length)],
      ['runs', String(rows.reduce((sum, { runs }) => sum + runs.length, 0))],
      ['budget of each', budgetText(plan)],
      ...(best ? [[`best: ${best.label}`, percent(best.accuracy!.mean)] as const] : []),
      ...(open > 0 ? [['runs not finished yet', String(open)] as const] : []),
    ],
    sections: [
      {
        title: 'Ranking',
        note: escapeHtml(
          `Accuracy: test images, last epoch; ± is the standard deviation between seeds. W/A: bits of weights and activations. Packed: accuracy of the packed network, "same" when it is the trained one's. Latency of one image: ${latencyMachine}. Published: table 3 of the survey, after hundreds of epochs.`,
        ),
        html: `<div class="ranking">${ranking(rows, groups.size > 1)}</div>`,
      },
      ...(failures.length > 0
        ? [
            {
              title: 'Failed',
              html: `<ul>${failures.map(({ label, failed }) => `<li>${escapeHtml(label)}: ${escapeHtml(failed!)}</li>`).join('')}</ul>`,
            },
          ]
        : []),
      ...drawn.flatMap(({ sections }) => sections),
      ...analyses,
      {
        title: 'Reproduce',
        html: `<details><summary>the command of every run</summary><pre>${commands}</pre></details>`,
      },
    ],
    style: `${style}${viewsStyle}`,
    script: `${script}${[...drawn, ...analyses].flatMap(({ calls }) => calls).join(';')}`,
  });
}
