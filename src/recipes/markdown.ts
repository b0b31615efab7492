import { methodNamed } from '../methods/table.ts';
import { percent } from '../report/index.ts';
import { recipes } from './table.ts';

/** All recipes as a Markdown table: what docs/recipes.md shows. */
export function recipesMarkdown(): string {
  const head = ['command: `signum train --recipe ...`', 'W/A', 'published', 'ours, packed', 'source', 'deviations'];
  const rows = recipes.map(({ id, training, published, measured, source, deviations = '' }) => {
    const { weight, activation } = methodNamed(training.method).bits;
    const ours = measured ? `${percent(measured.accuracy)} (\`${measured.log}\`)` : '';
    return [
      `\`${id}\``,
      `${weight}/${activation}`,
      published === undefined ? '' : percent(published),
      ours,
      source,
      deviations,
    ];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
