import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { zooFolders } from '#platform';
import type { ZooNetwork } from '../../packages/zoo/index.d.ts';
import { UsageError } from '../core/errors.ts';
import { bytes, formatTable, percent, print } from './output.ts';

/** The index of the installed zoo. @throws UsageError when it is not installed */
function readZoo(): readonly ZooNetwork[] {
  const [folder] = zooFolders().values();
  if (folder === undefined) throw new UsageError('the package @signum-bnn/zoo holds no networks: install it again');
  // as text: listing a package runs nothing of it
  return JSON.parse(readFileSync(join(folder, '../../index.json'), 'utf8')) as readonly ZooNetwork[];
}

export function defineZoo(command: Command): void {
  command
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      "\nAccuracy: test images, packed. Latents: float weights to start a training from (--init zoo:<name>).\n\nExamples:\n  signum predict zoo:lfc-bnn-mnist seven.png\n  signum eval zoo:lfc-bnn-mnist\n  in programs: const model = await load('zoo:lfc-bnn-mnist')",
    )
    .action(({ json }: { json?: boolean }) => {
      const networks = readZoo();
      if (json) {
        print(networks.map((network) => `${JSON.stringify(network)}\n`).join(''));
        return;
      }
      const rows = networks.map(({ id, data, bits, accuracy, bytes: size, latentBytes, paper, license }) => [
        `zoo:${id}`,
        data,
        `${bits.weight}/${bits.activation}`,
        percent(accuracy),
        bytes(size),
        latentBytes === null ? '' : bytes(latentBytes),
        license,
        paper,
      ]);
      print(`${formatTable(['network', 'data', 'W/A', 'accuracy', 'packed', 'latents', 'licence', 'paper'], rows)}\n`);
    });
}
