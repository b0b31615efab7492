import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { fileProblem } from '../data/files.ts';
import { decodeImage } from '../data/images.ts';
import { integer } from './arguments.ts';
import { percent, print } from './output.ts';
import { loadVoting, runPath } from './runs.ts';

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('classify image files with a packed model')
    .argument('<model>', 'packed .safetensors file, run folder or ensemble')
    .argument('<images...>', 'JPEG, PNG, WebP... files')
    .option('--top <n>', 'classes to print', integer, 3)
    .option('--json', 'print one JSON object per image')
    .addHelpText('after', '\nExample:\n  signum predict runs/resnet20-ir-net-cifar10 cat.jpg dog.png')
    .action(async (path: string, files: string[], options: { top: number; json?: boolean }) => {
      const model = loadVoting(runPath(path));
      for (const file of files) {
        let bytes: Uint8Array;
        try {
          bytes = readFileSync(file);
        } catch (error) {
          throw fileProblem('read', file, error);
        }
        const [prediction] = model.predict(await decodeImage(bytes, file, model.graph.input), options.top);
        if (options.json) print(`${JSON.stringify({ file, predictions: prediction })}\n`);
        else
          print(
            `${file}: ${prediction!.map(({ label, probability }) => `${label} ${percent(probability)}`).join(', ')}\n`,
          );
      }
    });
}
