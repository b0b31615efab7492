import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

/** In plain JavaScript, since a clone runs it before anything is built. */
const script = fileURLToPath(new URL('../../scripts/build-native.mjs', import.meta.url));

export function defineBuildNative(command: Command): void {
  command
    .addHelpText(
      'after',
      '\nNeeds g++ 10 (or clang 12) or newer, make and python3. What is compiled for this machine is used instead of what was shipped.',
    )
    .action(() => {
      const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
      process.exitCode = status ?? 1;
    });
}
