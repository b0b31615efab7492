import { methodNamed } from '../methods/table.ts';
import { recipes } from './table.ts';

const percent = (share: number | undefined): string => (share === undefined ? '' : `${(100 * share).toFixed(2)} %`);

/** All recipes as a Markdown table: what docs/recipes.md shows. */
export function recipesMarkdown(): string {
  const head = ['command: `signum train --recipe ...`', 'W/A', 'published', 'ours, packed', 'source', 'deviations'];
  const rows = recipes.map(({ id, training, published, measured, source, deviations = '' }) => {
    const { weight, activation } = methodNamed(training.method).bits;
    const ours = measured ? `${percent(measured.accuracy)} (\`${measured.log}\`)` : '';
    return [`\`${id}\``, `${weight}/${activation}`, percent(published), ours, source, deviations];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
