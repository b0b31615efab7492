import type { Command } from 'commander';
import { SignumError } from '../core/errors.ts';
import { tell } from './output.ts';

/** In plain JavaScript, since a clone runs it before anything is built. */
const script = new URL('../../scripts/build-native.mjs', import.meta.url).href;

export function defineBuildNative(command: Command): void {
  command
    .addHelpText(
      'after',
      '\nNeeds g++ 10 (or clang 12) or newer, make and python3. What is compiled for this machine is used instead of what was shipped.',
    )
    .action(async () => {
      const { buildNative, builtAddon } = (await import(script)) as { buildNative: () => void; builtAddon: string };
      tell('compiling the native kernels; this takes a minute or two\n');
      try {
        buildNative();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new SignumError(`the native kernels were not compiled: ${reason}`);
      }
      tell(`native kernels: ${builtAddon}\n`);
    });
}
