import type { Command } from 'commander';
import { dataRoot } from '../data/locate.ts';
import { dataSets } from '../data/table.ts';
import { methods } from '../methods/table.ts';
import { models } from '../models/table.ts';
import { formatTable } from './output.ts';

interface ListOptions {
  json?: boolean;
}

function print(
  json: boolean | undefined,
  values: readonly object[],
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  process.stdout.write(
    json ? values.map((value) => `${JSON.stringify(value)}\n`).join('') : `${formatTable(head, rows)}\n`,
  );
}

export function addLists(program: Command): void {
  program
    .command('methods')
    .description('list the binarization methods')
    .option('--json', 'one JSON object per line')
    .action(({ json }: ListOptions) => {
      const values = methods.map(({ id, title, paper, family, bits, teacher, floatPacked }) => ({
        id,
        title,
        paper,
        family,
        bits,
        teacher: teacher ?? null,
        packs: floatPacked ? 'float' : 'bits',
        reason: floatPacked ?? null,
      }));
      print(
        json,
        values,
        ['method', 'W/A bits', 'packs', 'teacher', 'family', 'title', 'paper'],
        values.map((m) => [
          m.id,
          `${m.bits.weight}/${m.bits.activation}`,
          m.packs,
          m.teacher ?? '',
          m.family,
          m.title,
          m.paper,
        ]),
      );
    });
  program
    .command('models')
    .description('list the network topologies')
    .option('--json', 'one JSON object per line')
    .action(({ json }: ListOptions) => {
      const values = models.map(({ id, title, inputShape }) => ({ id, title, inputShape }));
      print(
        json,
        values,
        ['model', 'input', 'title'],
        values.map((m) => [m.id, m.inputShape.join('x'), m.title]),
      );
    });
  program
    .command('data')
    .description('list the data sets and where they are looked for')
    .option('--json', 'one JSON object per line')
    .action(({ json }: ListOptions) => {
      const values = dataSets.map(({ id, title }) => ({ id, title }));
      print(
        json,
        values,
        ['data set', 'title'],
        values.map((d) => [d.id, d.title]),
      );
      if (!json)
        process.stdout.write(
          `\nlooked for under ${dataRoot()} (set SIGNUM_DATA to change); a folder of images works too: ./photos@64 with train/{class}/ and test/{class}/\n`,
        );
    });
}
