import type { DataEntry } from '../data/table.ts';
import type { Own } from '../models/table.ts';
import type { Translation } from '../pack/translation.ts';
import type { PackedOp } from '../runtime/op.ts';
import type { Task } from '../tasks/task.ts';

/**
 * Values of a package of one's own, each in a list of its kind: what the default export of a plugin is (`signum train --plugin ./mine.mjs`). No id
 * may be one that Signum has.
 */
export interface Plugin extends Own {
  /** How ops that the networks record are packed. */
  readonly ops?: readonly Translation[] | undefined;
  /** Ops of packed files. */
  readonly packedOps?: readonly PackedOp[] | undefined;
  readonly tasks?: readonly Pick<Task, 'id' | 'title'>[] | undefined;
  readonly data?: readonly DataEntry[] | undefined;
}

/**
 * A plugin, checked by the compiler.
 *
 * @example
 * export default definePlugin({ methods: [mine], data: [{ id: 'shapes', title: 'shapes', load: () => shapes }] });
 */
export const definePlugin = (plugin: Plugin): Plugin => plugin;

/** A plugin of a command line, and where it came from. */
export interface LoadedPlugin {
  /** As the person gave it: a path, or a package's name. */
  readonly given: string;
  /** Of its entry. */
  readonly file: string;
  readonly isPackage: boolean;
  /** Of the entry's bytes. */
  readonly sha256: string;
  readonly values: Plugin;
  /** Their names, by kind. */
  readonly brings: Readonly<Partial<Record<keyof Plugin, readonly string[]>>>;
}

/** All values that names may mean beside those of Signum. */
export interface House extends Plugin {
  /** Where names come from a command line: the plugins that it loaded, which a run of others does without them. Programs, which hand in values, have none. */
  readonly plugins?: readonly LoadedPlugin[] | undefined;
}
