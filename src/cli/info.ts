import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { engineInfo, missingInstructions } from '../backend/engine-info.ts';
import { print } from './output.ts';
import { houseOf, plugin, type WithPlugins } from './plugins.ts';

const { name, version } = createRequire(import.meta.url)('../../package.json') as { name: string; version: string };

const sources = { prebuilt: 'shipped with the package', built: 'compiled on this machine' } as const;

export function defineInfo(command: Command): void {
  command
    .option(...plugin)
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...options }: WithPlugins & { json?: boolean }) => {
      const { plugins = [] } = await houseOf(options);
      const engine = engineInfo();
      if (json) {
        const given = plugins.map(({ given: name, sha256, brings }) => ({ plugin: name, sha256, ...brings }));
        print(`${JSON.stringify({ version, ...engine, ...(given.length > 0 ? { plugins: given } : {}) })}\n`);
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
          ...plugins.map(({ given: name, sha256, brings }) => {
            const kinds = Object.entries(brings).map(([kind, ids]) => `${kind} ${ids.join(', ')}`);
            return `plugin           ${name} (SHA-256 ${sha256.slice(0, 12)}): ${kinds.join('; ') || 'nothing'}`;
          }),
          '',
        ].join('\n'),
      );
    });
}
