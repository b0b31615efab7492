import {
  type Curve,
  type Curves,
  chartBox,
  chartBoxes,
  colorKey,
  epochSteps,
  folded,
  type Html,
  h,
  kilobytes,
  type Point,
  pageHtml,
  type Scatter,
  type Section,
  table,
  together,
} from '../report/index.ts';
import { type FigureName, figureText } from '../tasks/figures.ts';
import { figureIn } from '../train/run-folder.ts';
import { budgetText, type Comparison, commandsOf, pixelsOf, type Row } from './comparison.ts';
import { layerHeatMaps } from './heat-map.ts';
import { accuracyText, bitsText, capital, figureHead, imagesPerSecond, packedText } from './markdown.ts';
import { paretoFront } from './pareto.ts';
import { taskOfPlan } from './plan.ts';

/** Colours by bits of weights and activations, of the dots. */
const dotColors: Record<string, string> = { '1/1': '#2f6bff', '1/32': '#e2662a', '32/32': '#8a94a6' };
const otherBits = '#1f9d61';
/** Of those beyond the colours below. */
const otherCurves = '#8a94a6';
/** Names of more curves stand under the chart. */
const mostInLegend = 12;
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

const colorOf = (row: Row): string => dotColors[bitsText(row)] ?? otherBits;

/** As axes show it. */
const scaled = ({ isShare }: FigureName, value: number): number => (isShare ? 100 * value : value);

function tradeoffs(rows: readonly Row[], costOf: (row: Row) => number | null): Point[] {
  return rows.flatMap((row) => {
    const cost = costOf(row);
    if (cost === null || !row.accuracy) return [];
    return [{ label: row.label, cost, accuracy: scaled(row.figure, row.accuracy.mean), color: colorOf(row) }];
  });
}

function ranking(rows: readonly Row[], several: boolean, first: FigureName): Html {
  const head = [
    '',
    'method',
    figureHead(first),
    'W/A',
    ...(several ? ['model, data'] : []),
    'seeds',
    'packed',
    'packed size',
  ];
  head.push('latency ms', 'training img/s', 'published %');
  const lines = rows.map((row, i) => [
    String(i + 1),
    h('span', { title: `${row.method.title}, ${row.method.paper}` }, row.label),
    accuracyText(row),
    bitsText(row),
    ...(several ? [`${row.model}, ${row.data}`] : []),
    String(row.runs.length),
    packedText(row),
    row.packedBytes === null ? '–' : kilobytes(row.packedBytes),
    row.latencyMs?.toFixed(2) ?? '–',
    imagesPerSecond(row).toFixed(0),
    row.published ?? '–',
  ]);
  return table(head, lines, lines.length > 20 ? 'tall' : undefined);
}

/** The first figure per epoch of each row's first run, the best ten in colour. */
function curveSeries(rows: readonly Row[]): Curve[] {
  const shown = rows.filter(({ accuracy }) => accuracy);
  const series = shown.map((row, i) => ({
    label: row.label,
    color: curveColors[i] ?? `${otherCurves}55`,
    width: i < curveColors.length ? 2 : 1,
    values: row.runs[0]!.metrics.map((line) => {
      const value = scaled(row.figure, figureIn(line, 'test', row.figure.name) ?? Number.NaN);
      return row.figure.isShare ? Math.round(100 * value) / 100 : value;
    }),
  }));
  // the best ones are drawn last, on top
  return series.reverse();
}

function epochCurves(id: string, curves: readonly Curve[]): Curves {
  const x = Array.from({ length: Math.max(...curves.map(({ values }) => values.length)) }, (_, i) => i + 1);
  const legend = curves.length <= mostInLegend;
  return { kind: 'curves', id, label: 'epoch', x, curves, steps: epochSteps, height: 300, legend, dots: false };
}

function scatter(
  id: string,
  heading: string,
  label: string,
  points: readonly Point[],
  { better }: FigureName,
): Scatter {
  return { kind: 'scatter', id, heading, label, points, front: paretoFront(points, better) };
}

/** One model on one data set: its Pareto plots, its curves and what went on in its layers. */
function charts(rows: readonly Row[], place: number, suffix: string, first: FigureName): Section[] {
  const bySize = tradeoffs(rows, ({ packedBytes }) => packedBytes && packedBytes / 1000);
  const byLatency = tradeoffs(rows, ({ latencyMs }) => latencyMs);
  const plots = [
    scatter(`size${place}`, `${capital(figureHead(first))} against packed size`, 'packed kB', bySize, first),
    scatter(
      `latency${place}`,
      `${capital(figureHead(first))} against latency of one image`,
      'ms per image',
      byLatency,
      first,
    ),
  ];
  const series = curveSeries(rows);
  const curves = epochCurves(`curves${place}`, series);
  const colored = series.filter(({ color }) => curveColors.includes(color)).reverse();
  const others = series.length - colored.length;
  const names = colorKey([
    ...colored.map(({ label, color }) => [label, color] as const),
    ...(others > 0 ? [[`the ${others} others`, otherCurves] as const] : []),
  ]);
  return [
    {
      title: `Size, speed and ${first.title}${suffix}`,
      note: `${first.better === 'higher' ? 'Up' : 'Down'} and to the left is better. Colours are bits of weights and activations; the dashed line joins the rows that no other beats in both.`,
      content: together(
        colorKey([...Object.entries(dotColors), ['other bits', otherBits]]),
        chartBoxes(plots, 'broad'),
      ),
      charts: plots.filter(({ points }) => points.length > 0),
    },
    {
      title: `Test ${first.title} by epoch${suffix}`,
      short: `Curves${suffix}`,
      note: `${first.isShare ? 'Percent, seed' : 'Seed'} ${rows[0]?.runs[0]?.seed ?? ''}; the best ten in colour.`,
      content: together(chartBox(curves), curves.legend ? null : names),
      charts: series.length > 0 ? [curves] : [],
    },
    ...layerHeatMaps(rows, suffix),
  ];
}

/** A further analysis, for the page and for the Markdown report. */
export interface ReportSection extends Section {
  readonly markdown: string;
}

/** The whole comparison as one HTML page without external files; `analyses` are further ones of it. */
export function comparisonHtml(
  comparison: Comparison,
  latencyMachine: string,
  analyses: readonly ReportSection[] = [],
): string {
  const { plan, rows, open } = comparison;
  const [first] = taskOfPlan(plan).figures;
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${row.model} on ${row.data}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const drawn = [...groups].map(([name, group], place) =>
    charts(group, place, groups.size > 1 ? `: ${name}` : '', first),
  );
  const best = rows.find(({ method, accuracy }) => accuracy && method.family !== 'float');
  const failures = rows.filter(({ failed }) => failed);
  const commands = rows.flatMap(commandsOf).join('\n');
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
      ...(best ? [[`best: ${best.label}`, figureText(first, best.accuracy!.mean)] as const] : []),
      ...(open > 0 ? [['runs not finished yet', String(open)] as const] : []),
    ],
    sections: [
      {
        title: 'Ranking',
        note: `${capital(first.title)}: test images, last epoch; ± is the standard deviation between seeds. W/A: bits of weights and activations. Packed: ${first.title} of the packed network, "same" when it is the trained one's. Latency of one image: ${latencyMachine}. Published: table 3 of the survey, after hundreds of epochs.`,
        content: h('div', { class: 'ranking' }, ranking(rows, groups.size > 1, first)),
      },
      ...(failures.length > 0
        ? [
            {
              title: 'Failed',
              content: h(
                'ul',
                {},
                failures.map(({ label, failed }) => h('li', {}, `${label}: ${failed!}`)),
              ),
            },
          ]
        : []),
      ...drawn.flat(),
      ...analyses,
      {
        title: 'Reproduce',
        content: folded('the command of every run', h('pre', {}, commands)),
      },
    ],
  });
}
