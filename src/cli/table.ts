import type { Command } from 'commander';
import { UsageError } from '../core/errors.ts';
import { table3, table4 } from '../survey/classification.ts';
import { table2 } from '../survey/deployment.ts';
import { loggedRuns, type Measured, measuredFor } from '../survey/measured.ts';
import { table1 } from '../survey/overview.ts';
import type { SurveyTable } from '../survey/table.ts';
import { table5, table6, table7 } from '../survey/tasks.ts';
import { integer } from './arguments.ts';
import { formatTable, percent, print } from './output.ts';

const tables: readonly SurveyTable[] = [table1, table2, table3, table4, table5, table6, table7];

function measuredCell(measured: Measured | null): string {
  if (!measured) return '';
  const width = measured.relativeWidth === 1 ? '' : ', half width';
  const seeds = measured.folders.length === 1 ? '' : `, ${measured.folders.length} seeds`;
  return `${percent(measured.accuracy)}, ${measured.epochs} epochs${width}${seeds}`;
}

interface Options {
  results: string;
  json?: boolean;
}

function tableNumbered(number: number): SurveyTable {
  const table = tables.find((candidate) => candidate.number === number);
  if (table) return table;
  throw new UsageError(`the survey has no table ${number}; choose 1 to 7`);
}

export function defineTable(command: Command): void {
  command
    .argument('<number>', '1 overview, 2 FPGAs, 3 CIFAR-10, 4 ImageNet, 5 COCO, 6 and 7 PASCAL VOC', integer)
    .option('--results <folder>', 'where logged runs lie', 'results')
    .option('--json', 'one JSON object per row')
    .addHelpText('after', '\nExamples:\n  signum table 3\n  signum table 3 --results runs --json')
    .action((number: number, { results, json }: Options) => {
      const { title, columns, rows, notes = [] } = tableNumbered(number);
      const runs = number === 3 ? loggedRuns(results) : [];
      const lines = rows.map((row) => ({ ...row, measured: measuredFor(row, runs) }));
      if (json) {
        print(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        return;
      }
      const shown = lines.map(({ group, method, reference, cells, id, measured }, i) => [
        group === lines[i - 1]?.group ? '' : group,
        reference ? `${method} [${reference}]` : method,
        ...cells,
        id ?? '',
        ...(number === 3 ? [measuredCell(measured)] : []),
      ]);
      const heads = ['', 'method', ...columns, 'signum', ...(number === 3 ? ['measured here'] : [])];
      print(`Table ${number}: ${title} (Qin et al. 2020)\n\n${formatTable(heads, shown)}\n`);
      if (notes.length > 0) print(`\n${notes.map((note) => `note: ${note}`).join('\n')}\n`);
    });
}
