import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { engineInfo, missingInstructions } from '../backend/engine-info.ts';
import { print } from './output.ts';

const { name, version } = createRequire(import.meta.url)('../../package.json') as { name: string; version: string };

const sources = { prebuilt: 'shipped with the package', built: 'compiled on this machine' } as const;

export function defineInfo(command: Command): void {
  command.option('--json', 'print one JSON object').action(({ json }: { json?: boolean }) => {
    const engine = engineInfo();
    if (json) {
      print(`${JSON.stringify({ version, ...engine })}\n`);
      return;
    }
    const { backend, instructionSet, threads, addon } = engine;
    const missing = missingInstructions(engine);
    const whyNotFaster =
      addon.reason ?? (missing ? `this processor has no ${missing}` : 'nothing faster is known here');
    print(
      [
        `${name} ${version} (Node.js ${process.versions.node}, ${process.platform} ${process.arch})`,
        `backend          ${backend}${addon.source && backend === 'native' ? `, ${sources[addon.source]}` : ''}`,
        `instruction set  ${instructionSet}`,
        `threads          ${threads}`,
        `why no faster    ${whyNotFaster}`,
        '',
      ].join('\n'),
    );
  });
}
