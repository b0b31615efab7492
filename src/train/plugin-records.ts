import { isAbsolute, relative, resolve, sep } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { sayOnce } from '../core/say-once.ts';
import { formNamed } from '../methods/forms.ts';
import type { TrainConfig } from './config.ts';
import type { Effective } from './effective-schema.ts';
import type { House, LoadedPlugin } from './plugin.ts';
import type { RunFolder } from './run-folder.ts';

/** A plugin that a run needs, as its `config.json` has it: a package's name, or a path from the run's folder; and its entry as it was. */
export type PluginRecord = NonNullable<Effective['plugins']>[number];

const isPath = (specifier: string): boolean => specifier.startsWith('.') || isAbsolute(specifier);

/** `../../mine.mjs`, with slashes everywhere: a run may move from one system to another. */
function fromFolder(folder: string, file: string): string {
  const path = relative(folder, file).replaceAll(sep, '/');
  // a hidden folder begins with a dot too
  return isAbsolute(path) || path.startsWith('../') ? path : `./${path}`;
}

/** Whether a run of these options has something of a plugin. Ops are not asked for by name: whoever brings them may be needed. */
function isUsed({ values: { methods = [] }, brings }: LoadedPlugin, config: TrainConfig): boolean {
  if (brings.ops || brings.packedOps) return true;
  const { model, data, task } = config;
  const names = { methods: config.method, models: model, data, tasks: task ?? '' } as const;
  const isForm = formNamed(config.method, (id) => methods.find((method) => method.id === id)) !== undefined;
  return isForm || Object.entries(names).some(([kind, id]) => brings[kind as keyof typeof names]?.includes(id));
}

/** The records of the plugins that a run needs; undefined where there are none. */
export function pluginRecords(
  config: TrainConfig,
  folder: string,
  plugins: readonly LoadedPlugin[] = [],
): PluginRecord[] | undefined {
  const records = plugins
    .filter((plugin) => isUsed(plugin, config))
    .map(({ given, file, isPackage, sha256 }) => ({
      specifier: isPackage ? given : fromFolder(resolve(folder), file),
      sha256,
    }));
  return records.length > 0 ? records : undefined;
}

const fileOf = ({ specifier }: PluginRecord, folder: string): string | null =>
  isPath(specifier) ? resolve(folder, specifier) : null;

/** What `--plugin` takes for a record. @param folder of its run */
export function pluginArgument(record: PluginRecord, folder: string): string {
  const file = fileOf(record, folder);
  return file === null ? record.specifier : fromFolder(process.cwd(), file);
}

/**
 * The options of a run, for a command that uses it: with all of its plugins, if this is a command. Nothing that a run names is imported by itself.
 *
 * @throws UsageError naming the plugin that the person has not passed, and how; and as `readConfig`
 */
export function configFor(run: RunFolder, { plugins }: House): TrainConfig {
  const config = run.readConfig();
  if (!plugins) return config;
  for (const record of config.effective?.plugins ?? []) {
    const file = fileOf(record, run.path);
    if (plugins.some(({ sha256 }) => sha256 === record.sha256)) continue;
    const found = plugins.find((plugin) => (file === null ? plugin.given === record.specifier : plugin.file === file));
    const argument = printable(pluginArgument(record, run.path), 500);
    if (!found)
      throw new UsageError(
        `run ${run.path} was made with the plugin ${argument}, which was not passed, and nothing that a run names is imported by itself: if you trust that file, add --plugin ${argument}, or list it in SIGNUM_PLUGINS`,
      );
    sayOnce(
      `plugin ${argument} is not what it was when run ${run.path} began: SHA-256 ${found.sha256.slice(0, 12)} now, ${record.sha256.slice(0, 12)} then`,
    );
  }
  return config;
}
