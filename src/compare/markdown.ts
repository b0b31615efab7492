import type { FigureName } from '../tasks/figures.ts';
import { budgetText, type Comparison, commandsOf, pixelsOf, type Row } from './comparison.ts';
import { taskOfPlan } from './plan.ts';

/** A value without its unit, which stands in the head of its column. */
const numberText = ({ isShare }: FigureName, value: number) =>
  isShare ? (100 * value).toFixed(2) : value.toPrecision(4);

/** `accuracy %`: the head of a column of figures. */
export const figureHead = ({ title, isShare }: FigureName): string => `${title}${isShare ? ' %' : ''}`;

/** `57.31 ± 0.42` with several seeds, `57.31` with one. */
export const accuracyText = ({ accuracy, figure }: Row): string =>
  accuracy
    ? `${numberText(figure, accuracy.mean)}${accuracy.spread === null ? '' : ` ± ${numberText(figure, accuracy.spread)}`}`
    : 'failed';

export const bitsText = ({ method }: Row): string => `${method.bits.weight}/${method.bits.activation}`;

export const imagesPerSecond = ({ runs }: Row): number =>
  runs[0]?.metrics.length ? runs[0].metrics.reduce((sum, m) => sum + m.imagesPerSecond, 0) / runs[0].metrics.length : 0;

/** Whether packed and trained networks agreed on every test image of every seed. */
export function packedText({ runs, figure }: Row): string {
  const done = runs.flatMap(({ result }) => (result.failed === undefined ? [result] : []));
  if (done.length === 0) return '–';
  if (done.some(({ packedAccuracy }) => packedAccuracy === null)) return 'does not pack';
  return done.every(({ packedAccuracy, accuracy }) => packedAccuracy === accuracy)
    ? 'same'
    : numberText(figure, done[0]!.packedAccuracy!);
}

/** `Accuracy` */
export const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const markdownTable = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...lines].map((line) => `| ${line.map(cell).join(' | ')} |`).join('\n');

/** Ranking, analyses and commands as Markdown; `latencyMachine` is where latencies were measured. */
export function comparisonMarkdown(
  comparison: Comparison,
  latencyMachine: string,
  sections: readonly { readonly title: string; readonly markdown: string }[] = [],
): string {
  const { plan, rows, open } = comparison;
  const pixels = pixelsOf(rows);
  const [first] = taskOfPlan(plan).figures;
  const several = plan.models.length * plan.data.length > 1;
  const head = ['', 'method', ...(several ? ['model, data'] : []), 'W/A bits', figureHead(first), 'seeds', 'packed'];
  head.push('packed kB', 'latency ms', 'training img/s', 'published %');
  const lines = rows.map((row, i) => [
    String(i + 1),
    row.label,
    ...(several ? [`${row.model}, ${row.data}`] : []),
    bitsText(row),
    accuracyText(row),
    String(row.runs.length),
    packedText(row),
    row.packedBytes === null ? '–' : (row.packedBytes / 1000).toFixed(1),
    row.latencyMs?.toFixed(2) ?? '–',
    imagesPerSecond(row).toFixed(0),
    row.published ?? '–',
  ]);
  const failures = rows.filter(({ failed }) => failed).map(({ label, failed }) => `- ${label}: ${failed}`);
  const table = markdownTable(head, lines);
  const commands = rows.flatMap((row) => commandsOf(row).map((command) => command));
  return `# ${plan.title}

${budgetText(plan)} each, seeds ${plan.seeds.join(', ')}${plan.again ? `, the best ${plan.again.best} also with ${plan.again.seeds.join(', ')}` : ''}; the same images in the same order, and the same first weights, for all methods of a seed.${pixels ? ` ${pixels}.` : ''}
${open > 0 ? `\n**${open} runs are not finished yet.**\n` : ''}
${table}

${capital(first.title)}: test images, last epoch; ± is the standard deviation between seeds. Packed: ${first.title} of the packed network on all test images, "same" when it is the
trained one's. Latency: one image, packed, ${latencyMachine}. Published: the survey's table 3, after hundreds of epochs.
${failures.length > 0 ? `\n## Failed\n\n${failures.join('\n')}\n` : ''}
${sections.map(({ title, markdown }) => `## ${title}\n\n${markdown}\n`).join('\n')}
## Commands

\`\`\`sh
${commands.join('\n')}
\`\`\`
`;
}
