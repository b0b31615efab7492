import type { Command } from 'commander';
import { viewsPage } from '../analysis/views/html.ts';
import { viewsOf } from '../analysis/views/views.ts';
import { UsageError } from '../core/errors.ts';
import { writeFileAtomic } from '../data/files.ts';
import { allowBroken, integer } from './arguments.ts';
import { type OtherData, openClassifier, runFolderOf } from './data.ts';
import { print } from './output.ts';
import { houseOf, plugin } from './plugins.ts';
import { runPath } from './runs.ts';

interface Options extends OtherData {
  images: number;
  json?: boolean;
}

export function defineViews(command: Command): void {
  command
    .argument('<run>', 'run folder (or name under runs/)')
    .option('--images <n>', 'test images shown', integer, 2)
    .option(...allowBroken)
    .option(...plugin)
    .option('--json', 'print the path as JSON')
    .addHelpText(
      'after',
      '\nWrites views.html into the run folder.\n\nExample:\n  signum views runs/resnet20-bi-real-cifar10 --images 3',
    )
    .action(async (run: string, { images, json, ...other }: Options) => {
      if (images < 1) throw new UsageError(`--images ${images}: there must be at least one image`);
      const path = runPath(run);
      const { network, config, data } = await openClassifier(path, other, await houseOf(other));
      const folder = runFolderOf(path);
      const views = await viewsOf(network, data, images);
      const title = `${config.model}, ${config.method}, ${config.data}`;
      const file = folder.file('views.html');
      writeFileAtomic(file, viewsPage(title, views));
      print(json ? `${JSON.stringify({ views: file })}\n` : `views: ${file}\n`);
    });
}
