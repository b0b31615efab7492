import type { Command } from 'commander';
import { UsageError } from '../core/errors.ts';
import { loadDataSet } from '../data/table.ts';
import { methodNamed } from '../methods/table.ts';
import { modelNamed } from '../models/table.ts';
import { parseConfig, type TrainConfig } from '../train/config.ts';
import { trainRun } from '../train/run.ts';
import { RunFolder } from '../train/run-folder.ts';
import { integer, number, numbers, policy, share } from './arguments.ts';
import { percent } from './output.ts';
import { progressEvents } from './progress.ts';
import { runPath } from './runs.ts';

interface Options extends Record<string, unknown> {
  name?: string;
  resume?: boolean;
  json?: boolean;
}

/** Everything that is not about the run folder or the output is a training option. */
function configFrom({ name: _name, resume: _resume, json: _json, ...training }: Options): TrainConfig {
  const { defaults } = methodNamed(String(training['method']));
  modelNamed(String(training['model']));
  return parseConfig({ epochs: defaults.epochs, batch: defaults.batch, ...training });
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train a binary network in a run folder')
    .option('--model <name>', 'network, see `signum models`', 'resnet20')
    .option('--method <name>', 'binarization method, see `signum methods`', 'ir-net')
    .option('--data <name>', 'data set or folder of images, see `signum data`', 'cifar10')
    .option('--width <factor>', 'multiply all channel counts', number)
    .option('--epochs <n>', 'passes over the data (default: as in the paper)', integer)
    .option('--batch <n>', 'images per step (default: as in the paper)', integer)
    .option('--optimizer <name>', "sgd, adam, adamax, shift-adamax or rmsprop (default: the method's)")
    .option('--rate <x>', 'learning rate', number)
    .option('--momentum <x>', 'SGD momentum', share)
    .option('--nesterov', 'SGD with Nesterov momentum')
    .option('--weight-decay <x>', 'L2 weight decay', number)
    .option('--schedule <name>', 'constant, cosine, linear, polynomial or step')
    .option('--warm-up-epochs <n>', 'linear warm-up', number)
    .option('--loss <name>', 'cross-entropy or squared-hinge')
    .option('--clip-latent', 'clip latent weights to [-1,1] after each step')
    .option('--no-clip-latent', 'never clip them')
    .option('--label-smoothing <x>', 'smoothing of the labels', share)
    .option('--block-order <name>', 'batch-norm after the convolution (conv-bn) or before its signs (bn-conv)')
    .option('--pooling <name>', 'max-pooling before-norm or after-norm')
    .option('--shortcut <name>', 'of ResNets: around every-conv or every-block')
    .option('--activation <name>', 'between layers: hardtanh, relu, prelu, rprelu, maxout or none')
    .option('--norm-momentum <x>', "share of the new batch in batch-norm's averages", number)
    .option('--estimator <name>', 'slope of the activations: identity, clip, approx-sign, swish-sign, ede or tanh')
    .option('--weight-estimator <name>', 'slope of the weights, of the same names')
    .option('--stages <name>', 'half of the training binarizes only one: activations-first or weights-first')
    .option('--bit-steps <list>', "bits before the method's own, e.g. 8,4,2", numbers)
    .option('--partitions <list>', 'shares of weights binarized before all are, e.g. 0.5,0.75,0.875', numbers)
    .option('--policy <list>', 'precision of single layers, e.g. 1.first=float,*=binary,11=8-bit', policy)
    .option('--pad-crop <pixels>', 'augment: random shift by up to this many pixels', integer)
    .option('--flip', 'augment: random mirror')
    .option('--resized-crop', 'augment a folder of images: random part, 8-100 % of the area, scaled to the input')
    .option('--init <run>', 'start from the weights of a trained run, e.g. of method float')
    .option('--teacher <run>', 'trained run that distillation learns from')
    .option('--limit <n>', 'use only n images of each split, a fixed sample', integer)
    .option('--seed <n>', 'fixes weights, data order and noise', integer)
    .option('--name <name>', 'run folder under runs/ (default: <model>-<method>-<data>)')
    .option('--resume', 'continue an interrupted run; all other options come from its config.json')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  signum train --model cnv6 --width 0.25 --method bnn --data mnist --epochs 3 --optimizer adam\n  signum train --model resnet20 --method ir-net --data cifar10 --epochs 40 --pad-crop 4 --flip\n  signum train --resume --name resnet20-ir-net-cifar10',
    )
    .action(async (options: Options) => {
      const fallback = `${options['model']}-${options['method']}-${String(options['data']).replaceAll(/[^\w-]+/g, '_')}`;
      const folder = new RunFolder(runPath(options.name ?? fallback));
      if (!options.resume && folder.exists)
        throw new UsageError(`run ${folder.path} exists; continue it with --resume, or choose another --name`);
      const config = options.resume ? folder.readConfig() : configFrom(options);
      const { accuracy, finished } = await trainRun(folder, config, await loadDataSet(config.data), {
        resume: options.resume ?? false,
        events: progressEvents(config.epochs),
      });
      if (options.json)
        process.stdout.write(
          `${JSON.stringify({ run: folder.path, finished, accuracy: finished ? accuracy : null })}\n`,
        );
      else if (finished)
        process.stdout.write(
          `test accuracy ${percent(accuracy)}; report: ${folder.file('report.html')}\nnext: signum pack ${folder.path}\n`,
        );
      else process.stdout.write(`stopped and saved; continue with: signum train --resume --name ${folder.path}\n`);
    });
}
