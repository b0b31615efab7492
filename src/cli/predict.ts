import type { Command } from 'commander';
import { SignumError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { skippedText } from '../data/broken-files.ts';
import { isFolder } from '../data/files.ts';
import { decodePixels, decodeReason } from '../data/images.ts';
import { listPictures, pictureProblem, type UnusedFile } from '../data/picture-files.ts';
import { answerReader, asJson } from './answers.ts';
import { atLeastOne, maxBytes } from './arguments.ts';
import { print, tell, tellLine } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';
import { loadVoting, runPath } from './runs.ts';

interface Options extends WithPlugins {
  top: number;
  maxBytes?: number;
  json?: boolean;
}

interface Target {
  readonly file: string;
  /** Why it is no picture; null when its header is good. */
  readonly problem: string | null;
}

/** Files as given; of folders all pictures below, in order. What of a folder is none is said in one line. */
function targetsOf(given: readonly string[]): Target[] {
  return given.flatMap((path): Target[] => {
    if (!isFolder(path)) return [{ file: path, problem: pictureProblem(path) }];
    const { pictures, broken, skipped } = listPictures(path, path.endsWith('/') ? path : `${path}/`);
    const unused: UnusedFile[] = skipped;
    if (unused.length > 0) tellLine(`${printable(path)}: ${pictures.length} images, ${skippedText(unused)}`);
    if (pictures.length + broken.length === 0) return [{ file: path, problem: 'no pictures in this folder' }];
    return [
      ...pictures.map(({ path: file }) => ({ file, problem: null })),
      ...broken.map(({ name, reason }) => ({ file: name, problem: reason })),
    ];
  });
}

export function definePredict(command: Command): void {
  command
    .argument('<model>', 'packed .safetensors file, run folder, ensemble or zoo:<network>')
    .argument('<images...>', 'JPEG, PNG, WebP, AVIF, GIF, TIFF files, or folders')
    .option('--top <n>', 'classes to print', atLeastOne, 3)
    .option(...maxBytes)
    .option(...plugin)
    .option('--json', 'print one JSON object per image')
    .addHelpText(
      'after',
      '\nA picture that cannot be read is named, and the others go on; the exit code then is 1.\n\nExamples:\n  signum predict runs/resnet20-ir-net-cifar10 cat.jpg dog.png\n  signum predict model.safetensors photos/ --json\n  signum predict zoo:lfc-bnn-mnist seven.png',
    )
    .action(async (path: string, given: string[], options: Options) => {
      const { top, json } = options;
      const house = await houseOf(options);
      const model = await loadVoting(runPath(path), { maxBytes: options.maxBytes, ops: house.packedOps });
      const reader = await answerReader(model, house, top);
      const { input, inputs } = model.graph;
      const targets = targetsOf(given);
      let failed = 0;
      const fail = (file: string, reason: string) => {
        failed++;
        if (json) print(`${JSON.stringify({ file, error: reason })}\n`);
        else tell(`${printable(file, Number.POSITIVE_INFINITY)}: not read: ${reason}\n`);
      };
      for (const { file, problem } of targets) {
        if (problem !== null) {
          fail(file, problem);
          continue;
        }
        let pixels: Uint8Array;
        try {
          pixels = await decodePixels(file, input, undefined, false, inputs[0]!.picture?.resize);
        } catch (error) {
          fail(file, decodeReason(error));
          continue;
        }
        const answer = reader.answerTo(pixels);
        if (json) print(`${asJson({ file, [reader.key]: answer })}\n`);
        else print(`${printable(file, Number.POSITIVE_INFINITY)}: ${reader.tell(answer)}\n`);
      }
      if (failed > 0)
        throw new SignumError(`${failed} of ${targets.length} pictures could not be read; the others are above`);
    });
}
