import type { Command } from 'commander';
import { networkMacs, operationsOf } from '../analysis/macs.ts';
import { dataRoot } from '../data/locate.ts';
import { dataSets } from '../data/table.ts';
import { formsText } from '../methods/forms.ts';
import { methods } from '../methods/table.ts';
import { buildNetwork, modelNamed, models } from '../models/table.ts';
import type { House } from '../train/plugin.ts';
import { integer, positive } from './arguments.ts';
import { formatTable, print, quantity } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';

interface ListOptions extends WithPlugins {
  json?: boolean;
}

function printRows(
  json: boolean | undefined,
  values: readonly object[],
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  print(json ? values.map((value) => `${JSON.stringify(value)}\n`).join('') : `${formatTable(head, rows)}\n`);
}

interface CostOptions {
  method: string;
  classes?: number;
  width: number;
}

function printCost(
  model: string,
  { method, classes, width }: CostOptions,
  json: boolean | undefined,
  house: House,
): void {
  const { inputShape } = modelNamed(model, house.models);
  const isLarge = inputShape[0] >= 224;
  const config = { model, method, inputShape, classes: classes ?? (isLarge ? 1000 : 10), width, seed: 1 };
  const network = buildNetwork(config, undefined, house);
  // methods with stages binarize all at the end
  network.setPointToEnd();
  const { binary, float } = networkMacs(network);
  const parameters = network.parameters().reduce((sum, { value }) => sum + value.size, 0);
  const cost = {
    model,
    method,
    inputShape,
    parameters,
    binaryMacs: binary,
    floatMacs: float,
    operations: operationsOf({ binary, float }),
  };
  const line = [model, method, inputShape.join('x'), ...[parameters, binary, float, cost.operations].map(quantity)];
  printRows(json, [cost], ['model', 'method', 'input', 'parameters', 'binary MACs', 'float MACs', 'OPs'], [line]);
}

export function defineMethods(command: Command): void {
  command
    .option(...plugin)
    .option('--json', 'one JSON object per line')
    .action(async ({ json, ...given }: ListOptions) => {
      const values = [...methods, ...((await houseOf(given)).methods ?? [])].map((method) => {
        const { id, title, paper, family, bits, teacher, start, stages, floatPacked } = method;
        return {
          id,
          title,
          paper,
          family,
          bits,
          teacher: teacher ?? null,
          start: start ?? null,
          stages: stages?.map(({ name, epochs, binary }) => ({ name, epochs, binary })) ?? null,
          packs: floatPacked ? 'float' : 'bits',
          reason: floatPacked ?? null,
          forms: formsText(method),
        };
      });
      printRows(
        json,
        values,
        [
          'method',
          'W/A bits',
          'packs',
          'teacher',
          'start',
          'trainings',
          'family',
          'title',
          'paper',
          'other --bits or --bases',
        ],
        values.map((m) => [
          m.id,
          `${m.bits.weight}/${m.bits.activation}`,
          m.packs,
          m.teacher ?? '',
          m.start ?? '',
          m.stages?.map(({ epochs }) => epochs).join(' + ') ?? '',
          m.family,
          m.title,
          m.paper,
          m.forms ?? '',
        ]),
      );
    });
}

export function defineModels(command: Command): void {
  command
    .argument('[model]', 'count its parameters and multiply-accumulates')
    .option('--method <name>', 'binarized by', 'bnn')
    .option('--classes <n>', 'classes (default: 1000 for ImageNet sizes, else 10)', integer)
    .option('--width <factor>', 'multiply all channel counts', positive, 1)
    .option(...plugin)
    .option('--json', 'one JSON object per line')
    .addHelpText('after', '\nExample:\n  signum models react-net-a --method react-net')
    .action(async (model: string | undefined, { json, ...options }: ListOptions & CostOptions) => {
      const house = await houseOf(options);
      if (model !== undefined) {
        printCost(model, options, json, house);
        return;
      }
      const values = [...models, ...(house.models ?? [])].map(({ id, title, inputShape }) => ({
        id,
        title,
        inputShape,
      }));
      printRows(
        json,
        values,
        ['model', 'input', 'title'],
        values.map((m) => [m.id, m.inputShape.join('x'), m.title]),
      );
    });
}

export function defineData(command: Command): void {
  command
    .option(...plugin)
    .option('--json', 'one JSON object per line')
    .action(async ({ json, ...given }: ListOptions) => {
      const values = [...dataSets, ...((await houseOf(given)).data ?? [])].map(({ id, title }) => ({ id, title }));
      printRows(
        json,
        values,
        ['data set', 'title'],
        values.map((d) => [d.id, d.title]),
      );
      if (!json)
        print(
          `\nlooked for under ${dataRoot()} (set SIGNUM_DATA to change); a folder of pictures works too: ./photos@64 with train/{class}/ and test/{class}/, or just {class}/\n`,
        );
    });
}
