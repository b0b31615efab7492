import type { Command } from 'commander';
import { methodOn } from '../methods/table.ts';
import { recipesMarkdown } from '../recipes/markdown.ts';
import { recipes } from '../recipes/table.ts';
import { formatTable, percent, print } from './output.ts';

const share = (accuracy: number | undefined): string => (accuracy === undefined ? '' : percent(accuracy));

export function defineRecipes(command: Command): void {
  command
    .option('--json', 'one JSON object per line')
    .option('--markdown', 'the table of docs/recipes.md')
    .addHelpText(
      'after',
      '\nPublished: what the source says; ours: of the last epoch, packed, where the run is logged.\n\nExample:\n  signum train --recipe resnet20-recu-cifar10',
    )
    .action(({ json, markdown }: { json?: boolean; markdown?: boolean }) => {
      if (json) print(recipes.map((recipe) => `${JSON.stringify(recipe)}\n`).join(''));
      else if (markdown) print(`${recipesMarkdown()}\n`);
      else {
        const rows = recipes.map(({ id, training, published, measured, source }) => {
          const { bits, defaults } = methodOn(training.model, training.method);
          const epochs = String(training.epochs ?? defaults.epochs);
          return [id, `${bits.weight}/${bits.activation}`, epochs, share(published), share(measured?.accuracy), source];
        });
        print(`${formatTable(['recipe', 'W/A', 'epochs', 'published', 'ours', 'source'], rows)}\n`);
      }
    });
}
