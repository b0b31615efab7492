import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Comparison } from '../compare/comparison.ts';
import { loadedOnce } from '../compare/loaded-once.ts';
import { accuracyText, bitsText, figureHead } from '../compare/markdown.ts';
import { readPlan, taskOfPlan } from '../compare/plan.ts';
import { runComparison, writeReports } from '../compare/run.ts';
import { InterruptError, UsageError } from '../core/errors.ts';
import { interruptedBy } from '../core/interrupt.ts';
import { fileProblem } from '../data/files.ts';
import { figureText } from '../tasks/figures.ts';
import { loadData } from './data.ts';
import { formatTable, print, tell } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { progressEvents } from './progress.ts';

interface Options extends WithPlugins {
  out?: string;
  report?: boolean;
  json?: boolean;
}

function printRanking({ plan, rows }: Comparison): void {
  const lines = rows.map((row, i) => [
    row.label,
    String(i + 1),
    row.model,
    row.data,
    bitsText(row),
    accuracyText(row),
    String(row.runs.length),
    row.packedBytes === null ? '' : (row.packedBytes / 1000).toFixed(1),
    row.latencyMs?.toFixed(2) ?? '',
  ]);
  const head = [
    'method',
    'rank',
    'model',
    'data',
    'W/A',
    figureHead(taskOfPlan(plan).figures[0]),
    'seeds',
    'packed kB',
    'ms',
  ];
  print(`${formatTable(head, lines)}\n`);
}

function printJson({ rows }: Comparison): void {
  for (const { label, method, model, data, runs, accuracy, failed, packedBytes, latencyMs } of rows)
    print(
      `${JSON.stringify({ label, method: method.id, bits: method.bits, model, data, seeds: runs.map(({ seed }) => seed), accuracy, failed, packedBytes, latencyMs })}\n`,
    );
}

export function defineCompare(command: Command): void {
  command
    .argument('<plan>', 'what to compare, a JSON file; docs/compare.md explains it')
    .option('--out <folder>', 'where runs and reports lie (default: runs/<name of the plan>)')
    .option('--report', 'only write the report of what is finished')
    .option(...plugin)
    .option('--json', 'one JSON object per row')
    .addHelpText(
      'after',
      '\nStopped or killed, the same command continues; several processes may work on one comparison.\n\nExamples:\n  signum compare examples/compare-mnist.json\n  signum compare plan.json --out results/mine --report',
    )
    .action(async (file: string, { out, report, json, plugin }: Options) => {
      const house = await houseOf({ plugin });
      const plan = readPlan(file, house);
      const folder = out ?? join('runs', basename(file).replace(/\.json$/, ''));
      if (folder === file) throw new UsageError(`--out ${folder} is the plan itself; name a folder`);
      try {
        mkdirSync(folder, { recursive: true });
      } catch (error) {
        throw fileProblem('write', folder, error);
      }
      const [first] = taskOfPlan(plan).figures;
      const load = loadedOnce((choice) => loadData(choice, house));
      const end = report
        ? 'finished'
        : await runComparison(
            plan,
            folder,
            {
              onJob: (job, place, of) => {
                tell(`[${place}/${of}] ${job.id}\n`);
                return progressEvents(job.config.epochs, first);
              },
              onResult: ({ id }, result) =>
                tell(
                  result.failed === undefined
                    ? `${id}: ${figureText(first, result.accuracy)}${result.notPacked ? '; does not pack' : ''}\n`
                    : `${id}: failed: ${result.failed}\n`,
                ),
              onError: ({ id }, error) =>
                tell(`${id}: ${error instanceof Error ? error.message : error}; the others go on\n`),
            },
            load,
          );
      if (end === 'stopped')
        throw new InterruptError(
          interruptedBy() ?? 'SIGINT',
          'stopped and saved; the same command continues, with --report it only writes the report of what is finished',
        );
      const comparison = await writeReports(plan, folder, load);
      if (json) printJson(comparison);
      else printRanking(comparison);
      const left = comparison.open > 0 ? `; ${comparison.open} runs are left` : '';
      const why = { busy: '; the rest is being run by another process', finished: '' };
      tell(`report: ${join(folder, 'report.html')}${left}${why[end]}\n`);
    });
}
