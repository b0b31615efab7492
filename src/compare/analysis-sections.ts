import { type AttackName, disturbanceText } from '../analysis/robustness/robustness.ts';
import { viewsHtml, viewsNote } from '../analysis/views/html.ts';
import { type Curves, chartBoxes, folded, h, table, together } from '../report/index.ts';
import { type AnalysisKind, type AnalysisResult, readAnalysis } from './analyses.ts';
import type { Comparison, Row } from './comparison.ts';
import { curveColors, type ReportSection } from './html.ts';
import { markdownTable } from './markdown.ts';

interface Analysed<K extends AnalysisKind> {
  readonly row: Row;
  readonly result: AnalysisResult<K>;
}

function analysed<K extends AnalysisKind>({ rows }: Comparison, folder: string, kind: K): Analysed<K>[] {
  return rows.flatMap((row) => {
    const result = readAnalysis(folder, row.runs[0]!.id, kind);
    return result ? [{ row, result }] : [];
  });
}

const percent = (share: number) => (100 * share).toFixed(1);
const attackNames: Record<AttackName, string> = {
  noise: 'Gaussian noise, standard deviation',
  fgsm: 'FGSM, strength',
  pgd: 'PGD of ten steps, strength',
};

function robustnessSection(of: readonly Analysed<'robustness'>[]): ReportSection {
  const { under, images } = of[0]!.result;
  const head = ['', ...of.map(({ row }) => row.label)];
  const lines = [
    ['undisturbed', ...of.map(({ result }) => percent(result.clean))],
    ...under.map(({ attack, strength }, i) => [
      disturbanceText(attack, strength),
      ...of.map(({ result }) => percent(result.under[i]!.accuracy)),
    ]),
  ];
  const attacks = [...new Set(under.map(({ attack }) => attack))];
  const charts = attacks.map((attack): Curves => {
    const places = under.flatMap((cell, i) => (cell.attack === attack ? [i] : []));
    const curves = of.map(({ row, result }, i) => ({
      label: row.label,
      color: curveColors[i % curveColors.length]!,
      width: 2,
      values: [result.clean, ...places.map((place) => result.under[place]!.accuracy)].map((x) => 100 * x),
    }));
    return {
      kind: 'curves',
      id: attack,
      heading: `Accuracy % under ${attackNames[attack]}`,
      label: 'share of the pixel range',
      x: [0, ...places.map((place) => under[place]!.strength)],
      curves,
      height: 300,
      legend: true,
      dots: false,
    };
  });
  const note = `Accuracy % on ${images} test images, the same for all. Strengths are shares of the pixel range; attacks know the network; an image counts if it withstands the attack by the method's own slopes and by the clipped one, because slopes that pass nothing hide a gradient and protect nothing.`;
  return {
    title: 'Robustness',
    note,
    content: together(chartBoxes(charts, 'broad'), table(head, lines)),
    charts,
    markdown: `${markdownTable(head, lines)}\n\n${note}`,
  };
}

function sensitivitySection(of: readonly Analysed<'sensitivity'>[]): ReportSection {
  const note =
    'One layer computes otherwise, nothing is trained again: how much the test loss changes (accuracy, in points). The larger the fall when a layer becomes float, the more it costs to have it binary.';
  const tables = of.map(({ row, result: { base, switched } }) => {
    const precisions = [...new Set(switched.map(({ precision }) => precision!))];
    const layers = [...new Set(switched.map(({ layer }) => layer!))];
    const lines = layers.map((layer) => [
      layer,
      ...precisions.map((precision) => {
        const variant = switched.find((v) => v.layer === layer && v.precision === precision);
        if (!variant) return '–';
        const [loss, points] = [variant.loss - base.loss, 100 * (variant.accuracy - base.accuracy)];
        const signed = (x: number, digits: number) => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(digits)}`;
        return `${signed(loss, 3)} (${signed(points, 1)})`;
      }),
    ]);
    return { label: row.label, head: ['layer', ...precisions], lines };
  });
  return {
    title: 'Layer sensitivity',
    note,
    content: together(tables.map(({ label, head, lines }) => [h('h3', {}, label), table(head, lines)])),
    markdown: `${note}\n\n${tables.map(({ label, head, lines }) => `### ${label}\n\n${markdownTable(head, lines)}`).join('\n\n')}`,
  };
}

function viewsSection(of: readonly Analysed<'views'>[]): ReportSection {
  const parts = of.map(({ row, result }) => folded(row.label, viewsHtml(result)));
  return {
    title: 'Feature maps and filters',
    short: 'Views',
    note: viewsNote,
    content: together(parts),
    markdown: `In \`report.html\`, of ${of.map(({ row }) => row.label).join(', ')}.`,
  };
}

/** What a comparison's analyses found, for its reports. */
export function analysisSections(comparison: Comparison, folder: string): ReportSection[] {
  const robustness = analysed(comparison, folder, 'robustness');
  const sensitivity = analysed(comparison, folder, 'sensitivity');
  const views = analysed(comparison, folder, 'views');
  return [
    ...(robustness.length > 0 ? [robustnessSection(robustness)] : []),
    ...(sensitivity.length > 0 ? [sensitivitySection(sensitivity)] : []),
    ...(views.length > 0 ? [viewsSection(views)] : []),
  ];
}
