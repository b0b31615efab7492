import { shellWord } from '../core/printable.ts';
import type { House } from '../train/plugin.ts';

/** What a command that may meet values of plugins is given. */
export interface WithPlugins {
  readonly plugin?: readonly string[] | undefined;
}

/** Option of such commands. */
export const plugin = [
  '--plugin <file>',
  'import methods, models, ops, data sets and tasks of your own: ./mine.mjs, or a package; may be repeated',
  (given: string, before: readonly string[] = []): readonly string[] => [...before, given],
] as const;

/** Plugins that every command imports: `SIGNUM_PLUGINS=./mine.mjs,their-package`. */
const listed = (): string[] =>
  (process.env['SIGNUM_PLUGINS'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

/**
 * All values that the names of a command may mean: those of the plugins that the person names, beside those of Signum.
 *
 * @throws UsageError for a plugin that is not found, does not load, or brings what it should not
 */
export async function houseOf({ plugin: given = [] }: WithPlugins): Promise<House> {
  const names = [...listed(), ...given];
  // checking them takes every table: commands without plugins load none of it
  return names.length > 0 ? (await import('./plugin-files.ts')).importPlugins(names) : { plugins: [] };
}

/** The option as it was typed, for a command that goes on: ` --plugin ./mine.mjs`. */
export const pluginsTyped = ({ plugin: given = [] }: WithPlugins): string =>
  given.map((name) => ` --plugin ${shellWord(name)}`).join('');
