import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isEnsemble, readEnsemble } from '../analysis/ensemble/ensemble.ts';
import { evaluatePacked, packedFile } from '../analysis/packed-evaluation.ts';
import { UsageError } from '../core/errors.ts';
import { Batches } from '../data/batches.ts';
import { loadDataSet } from '../data/table.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { evaluate } from '../train/evaluate.ts';
import { RunFolder } from '../train/run-folder.ts';
import { formatTable, percent, print } from './output.ts';
import { loadNetwork, loadVoting, runPath } from './runs.ts';

export function addEval(program: Command): void {
  program
    .command('eval')
    .description('accuracy of a run, or of a packed model, on a test set')
    .argument('<run-or-model>', 'run folder, ensemble, or packed .safetensors file')
    .option('--data <name>', 'data set (default: that of the run)')
    .option('--packed', 'evaluate the packed model of the run')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum eval runs/cnv6-bnn-mnist\n  signum eval runs/cnv6-bnn-mnist/model.safetensors --data mnist',
    )
    .action(async (target: string, options: { data?: string; packed?: boolean; json?: boolean }) => {
      const path = runPath(target);
      if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a packed model`);
      const votes = isEnsemble(path);
      const isRun = !votes && statSync(path).isDirectory();
      const dataName =
        options.data ??
        (votes ? readEnsemble(path).training.data : isRun ? new RunFolder(path).readConfig().data : undefined);
      if (dataName === undefined)
        throw new UsageError('a model file does not say which data to test on: pass --data <name>');
      const data = await loadDataSet(dataName);
      const packed = options.packed || !isRun;
      const result = packed
        ? await evaluatePacked(loadVoting(isRun ? join(path, packedFile) : path), data)
        : await evaluateFloat(path, data);
      if (options.json) {
        print(`${JSON.stringify({ target: path, packed, ...result })}\n`);
        return;
      }
      print(
        `${packed ? 'packed' : 'trained'} network on ${data.name}, ${result.count} images: top-1 ${percent(result.top1)}, top-5 ${percent(result.top5)}, loss ${result.loss.toFixed(4)}\n`,
      );
      if (data.classes.length <= 20) {
        print(
          `\n${formatTable(
            ['true \\ predicted', ...data.classes],
            result.confusion.map((row, i) => [data.classes[i]!, ...row.map(String)]),
          )}\n`,
        );
      }
    });
}

function evaluateFloat(path: string, data: Awaited<ReturnType<typeof loadDataSet>>) {
  const { network } = loadNetwork(path);
  const classify = (images: Float32Array, count: number) =>
    inference(() => network.forward(new Tensor(images, [count, ...data.shape])).data.slice());
  return evaluate(classify, new Batches(data, data.test, 256), data.classes.length);
}
