import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ensembleFor } from '../analysis/ensemble/ensemble.ts';
import { isEnsemble, packedFile } from '../analysis/file-names.ts';
import { evaluatePacked, judgePacked, packedImages } from '../analysis/packed-evaluation.ts';
import { UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { DataSet } from '../data/dataset.ts';
import { pixelsText } from '../data/digest.ts';
import { isFolder } from '../data/files.ts';
import { PackedModel } from '../runtime/packed-model.ts';
import { classification } from '../tasks/classification.ts';
import { figuresOf, figureText } from '../tasks/figures.ts';
import type { AnyTask } from '../tasks/table.ts';
import type { Result } from '../tasks/task.ts';
import { type Best, bestText } from '../train/best.ts';
import type { DataChoice } from '../train/data-of.ts';
import type { Evaluation } from '../train/evaluate.ts';
import { judgeTrained } from '../train/judge.ts';
import type { House } from '../train/plugin.ts';
import { configFor } from '../train/plugin-records.ts';
import { taskOf } from '../train/purpose.ts';
import { notePacked } from '../train/report-file.ts';
import { allowBroken, integer, maxBytes } from './arguments.ts';
import { loadData, loadDataFor, type OtherData, openRun, runFolderOf } from './data.ts';
import { formatTable, percent, print, tell } from './output.ts';
import { houseOf, plugin } from './plugins.ts';
import { loadVoting, runPath } from './runs.ts';
import { loadNetwork, stageOption } from './trained.ts';

export function defineEval(command: Command): void {
  command
    .argument('<run-or-model>', 'run folder, ensemble, packed .safetensors file, or zoo:<network>')
    .option('--data <name>', 'data set (default: that of the run)')
    .option(...allowBroken)
    .option(
      '--split-seed <n>',
      'as in training, for a folder without test pictures (default: that of the run, else 1)',
      integer,
    )
    .option(...maxBytes)
    .option(...plugin)
    .option('--packed', 'evaluate the packed model of the run')
    .option('--best', 'evaluate the best checkpoint of a run trained with --keep best')
    .option(...stageOption)
    .option('--no-ema', 'of a run trained with --ema: the weights of its last step, not their averages')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      "\nClasses, image size and normalisation are the model's; data of some of its classes is judged on these.\n\nExamples:\n  signum eval runs/cnv6-bnn-mnist\n  signum eval runs/cnv6-bnn-mnist/model.safetensors --data mnist",
    )
    .action(async (target: string, options: OtherData & { maxBytes?: number; packed?: boolean; json?: boolean }) => {
      const path = runPath(target);
      const house = await houseOf(options);
      if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a packed model`);
      const packed = options.packed || isEnsemble(path) || !isFolder(path);
      if (packed && options.ema === false)
        throw new UsageError(
          `--no-ema is of a run's own weights: \`signum pack ${path} --no-ema\` first, then \`signum eval ${path} --packed\``,
        );
      if (packed && options.stage !== undefined)
        throw new UsageError("--stage is of a run's own weights: leave --packed out, and give the run's folder");
      if (packed && options.best)
        throw new UsageError(
          `--best is of a run's own weights: \`signum pack ${path} --best\` first, then \`signum eval ${path} --packed\``,
        );
      const { task, result, data, best } = packed
        ? await judgeFile(path, options, house)
        : await judgeRun(path, options, house);
      const { classes } = data;
      if (result.notFinite > 0)
        tell(
          `the answers to ${result.notFinite} of ${result.count} images are not finite and count as wrong: the training diverged; \`signum lint ${path}\` names the layer\n`,
        );
      if (options.json) {
        print(
          `${JSON.stringify({ target: path, packed, ...(best ? { best } : {}), data: data.name, originalPixels: data.originalPixels, classes, ...shown(task, result) })}\n`,
        );
        return;
      }
      if (best) print(`best checkpoint: ${bestText(best, task.figures[0])}\n`);
      print(
        `${packed ? 'packed' : 'trained'} network on ${[printable(data.name), pixelsText(data.originalPixels)].filter(Boolean).join(', ')}, ${result.count} images: ${textOf(task, result)}\n`,
      );
      if (!isClassified(task, result) || classes.length > 20) return;
      // of a subset only the classes that it has
      const rows = result.confusion.flatMap((row, i) =>
        row.some((n) => n > 0) ? [[classes[i]!, ...row.map(String)]] : [],
      );
      print(`\n${formatTable(['true \\ predicted', ...classes], rows)}\n`);
    });
}

/** Results of classifiers have more than figures. */
const isClassified = ({ id }: AnyTask, _result: Result): _result is Evaluation => id === classification.id;

function textOf(task: AnyTask, result: Result): string {
  if (isClassified(task, result))
    return `top-1 ${percent(result.top1)}, top-5 ${percent(result.top5)}, loss ${result.loss.toFixed(4)}`;
  return task.figures.map((figure) => `${figure.title} ${figureText(figure, figure.of(result))}`).join(', ');
}

/** What is printed as JSON. */
function shown(task: AnyTask, result: Result): object {
  if (isClassified(task, result)) return result;
  const { count, notFinite } = result;
  return { task: task.id, ...figuresOf(task.figures, result), count, notFinite };
}

interface Judged {
  readonly task: AnyTask;
  readonly result: Result;
  readonly data: DataSet;
  readonly best?: Best | undefined;
}

/** The options that say which images: those of the ensemble, or of the run that a model file lies beside. */
function choiceFor(path: string, { data }: OtherData, house: House): DataChoice {
  if (isEnsemble(path)) return ensembleFor(path, house).training;
  const run = runFolderOf(path);
  if (run.exists) return configFor(run, house);
  if (data !== undefined) return { data };
  throw new UsageError('a model file does not say which data to test on: pass --data <name>');
}

async function judgeFile(path: string, options: OtherData & { maxBytes?: number }, house: House): Promise<Judged> {
  const choice = choiceFor(path, options, house);
  const model = await loadVoting(path, { maxBytes: options.maxBytes, ops: house.packedOps });
  const task = taskOf({ task: model.graph.task.id }, house);
  const load = (other: DataChoice) => loadData(other, house);
  const data = await loadDataFor(packedImages(model), choice, options, load, task.truth);
  // an ensemble votes on classes, whatever task these are of
  if (!(model instanceof PackedModel)) return { task: taskOf({}), data, result: await evaluatePacked(model, data) };
  const result = await judgePacked(model, task, data);
  if (options.data === undefined) noteFigure(path, model, task.figures[0].of(result), house);
  return { task, result, data };
}

/** A run's report shows what its packed network reaches. */
function noteFigure(path: string, { graph }: PackedModel, accuracy: number, house: House): void {
  const run = runFolderOf(path);
  const file = run.file(packedFile);
  if (!existsSync(run.file('checkpoint.safetensors')) || (!isFolder(path) && resolve(path) !== resolve(file))) return;
  const packed = { accuracy, fileBytes: statSync(file).size, floatBytes: graph.floatBytes };
  notePacked(run, () => loadNetwork(run.path, house).network, packed);
}

async function judgeRun(path: string, options: OtherData, house: House): Promise<Judged> {
  const { network, data, checkpoint, task } = await openRun(path, options, house);
  const result = await judgeTrained(network, task, data);
  return { task, result, data, best: options.best ? checkpoint.best : undefined };
}
