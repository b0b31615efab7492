import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { suggestion } from '../core/suggest.ts';
import { dataSets } from '../data/table.ts';
import { formNamed } from '../methods/forms.ts';
import { methods } from '../methods/table.ts';
import { models } from '../models/table.ts';
import { translations } from '../pack/ops/table.ts';
import { packedOps } from '../runtime/ops/table.ts';
import { tasks } from '../tasks/table.ts';
import { tapeCopies } from '../tensor/tape.ts';
import type { House, LoadedPlugin, Plugin } from '../train/plugin.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a plugin's values of one kind are. */
interface Kind {
  /** In messages. */
  readonly one: string;
  /** Which field names it. */
  readonly id: string;
  /** What it cannot be without: the field and its type. */
  readonly needs: Readonly<Record<string, 'string' | 'object' | 'function'>>;
  /** Those of Signum. */
  readonly known: readonly object[];
  /** One that an id means without standing in the list. */
  readonly implied?: (id: string) => object | undefined;
}

const kinds: Readonly<Record<keyof Plugin, Kind>> = {
  methods: {
    one: 'method',
    id: 'id',
    needs: {
      title: 'string',
      bits: 'object',
      weight: 'function',
      activation: 'function',
      structure: 'object',
      defaults: 'object',
    },
    known: methods,
    implied: (id) => formNamed(id, (name) => methods.find((method) => method.id === name)),
  },
  models: {
    one: 'model',
    id: 'id',
    needs: { title: 'string', build: 'function', inputShape: 'object' },
    known: models,
  },
  ops: { one: 'translation', id: 'traced', needs: { effect: 'string', nodes: 'function' }, known: translations },
  packedOps: {
    one: 'packed op',
    id: 'op',
    needs: { fields: 'object', takes: 'object', gives: 'string', shape: 'function', prepare: 'function' },
    known: packedOps,
  },
  tasks: {
    one: 'task',
    id: 'id',
    needs: { title: 'string', truth: 'object', heads: 'object', figures: 'object', score: 'function' },
    known: tasks,
  },
  data: { one: 'data set', id: 'id', needs: { title: 'string', load: 'function' }, known: dataSets },
};

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value);
const idOf = (value: object, { id }: Kind): string => String((value as Fields)[id]);
const words = { string: 'a text', object: 'an object', function: 'a function' } as const;

/** @throws UsageError naming what is not as it should be */
function checked(name: string, exported: unknown): Plugin {
  const expected = `expected an object of lists: export default { ${Object.keys(kinds).join(', ')} }, each optional`;
  const given = typeof exported === 'object' && exported !== null ? (exported as Fields) : null;
  if (!given || Array.isArray(exported))
    throw new UsageError(`${name}: its default export is ${typeOf(exported)}; ${expected}`);
  for (const [key, values] of Object.entries(given)) {
    const kind = (kinds as Readonly<Record<string, Kind>>)[key];
    if (!kind) throw new UsageError(`${name}: it exports "${key}"${suggestion(key, Object.keys(kinds))}; ${expected}`);
    if (values === undefined) continue;
    if (!Array.isArray(values)) throw new UsageError(`${name}: its "${key}" is ${typeOf(values)}; expected a list`);
    for (const [i, value] of values.entries()) requireKind(`${name}: ${key}[${i}]`, value, kind);
  }
  return given as Plugin;
}

function requireKind(place: string, value: unknown, { one, id, needs }: Kind): void {
  if (typeof value !== 'object' || value === null)
    throw new UsageError(`${place} is ${typeOf(value)}; expected a ${one}`);
  const fields = value as Fields;
  if (typeof fields[id] !== 'string' || fields[id] === '')
    throw new UsageError(`${place}: its "${id}" is ${typeOf(fields[id])}; a ${one} has a name there`);
  // folders of runs are called after it
  if (id === 'id' && !/^[\w.+-]+$/.test(fields[id]))
    throw new UsageError(`${place}: "${printable(fields[id])}" is no id; it may hold letters, digits and . _ + - only`);
  for (const [field, type] of Object.entries(needs)) {
    if (typeof fields[field] === type && fields[field] !== null) continue;
    throw new UsageError(
      `${place} ("${printable(fields[id])}"): its "${field}" is ${typeOf(fields[field])}; in a ${one} it is ${words[type]}`,
    );
  }
}

/** Its lists that hold anything. */
const entriesOf = (values: Plugin): [keyof Plugin, readonly object[]][] =>
  (Object.keys(kinds) as (keyof Plugin)[]).flatMap((key): [keyof Plugin, readonly object[]][] =>
    values[key]?.length ? [[key, values[key]]] : [],
  );

/** @throws UsageError naming both who have an id */
function requireFree(loaded: readonly LoadedPlugin[]): void {
  for (const key of Object.keys(kinds) as (keyof Plugin)[]) {
    const kind = kinds[key];
    const owners = new Map(kind.known.map((value) => [idOf(value, kind), 'Signum']));
    for (const { given, values } of loaded)
      for (const value of values[key] ?? []) {
        const id = idOf(value, kind);
        const owner = owners.get(id) ?? (kind.implied?.(id) ? 'Signum' : undefined);
        if (owner !== undefined)
          throw new UsageError(
            `plugin ${printable(given)}: ${kind.one} "${printable(id)}" exists already: ${owner === given ? 'it stands there twice' : `${printable(owner)} has it`}, and runs would not know which one is meant; choose another ${kind.id}`,
          );
        owners.set(id, given);
      }
  }
}

/** The file that a package gives to those that import it: `createRequire` alone would take the one for `require`. */
function packageEntry(name: string): string | null {
  const [, scope = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(name) ?? [];
  const require = createRequire(join(process.cwd(), 'signum'));
  const folder = (require.resolve.paths(name) ?? []).map((path) => join(path, scope)).find((path) => existsSync(path));
  if (folder === undefined) return null;
  const target = (of: unknown): string | null => {
    if (typeof of === 'string') return of;
    if (typeof of !== 'object' || of === null) return null;
    const chosen = Object.entries(of).filter(([key]) => ['node', 'import', 'default'].includes(key));
    // as Node.js does: a condition that leads nowhere gives way to the next
    return chosen.map(([, found]) => target(found)).find((found) => found !== null) ?? null;
  };
  try {
    const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports?: unknown };
    const paths = exports as Readonly<Record<string, unknown>> | undefined;
    const entry = target(paths?.[`.${rest}`] ?? (rest === '' ? exports : undefined));
    return entry === null ? require.resolve(name) : join(folder, entry);
  } catch {
    return null;
  }
}

/** Where a plugin lies. @throws UsageError when there is none */
function fileOf(given: string): { file: string; isPackage: boolean } {
  const isPackage = !/^(file:|\.{0,2}[/\\]|[a-z]:[/\\])/i.test(given);
  const file = isPackage ? packageEntry(given) : given.startsWith('file:') ? fileURLToPath(given) : resolve(given);
  const shown = printable(given);
  if (file !== null && existsSync(file) && statSync(file).isFile()) return { file, isPackage };
  if (!isPackage)
    throw new UsageError(`--plugin ${shown}: there is no such file; give that of a module, like ./mine.mjs`);
  const isFile = existsSync(given) ? `; for the file write ./${shown}` : '';
  throw new UsageError(`--plugin ${shown}: no package of this name is installed here${isFile}`);
}

async function imported(given: string): Promise<LoadedPlugin> {
  const { file, isPackage } = fileOf(given);
  const name = `plugin ${printable(given)}`;
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(file).href)) as Fields)['default'];
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(`${name} does not load: ${reason}`, { cause: error });
  }
  if (tapeCopies().length > 1)
    throw new UsageError(
      `${name} imports another copy of signum-bnn than this command is of, and the two would not know each other's networks: ${tapeCopies().join(' and ')}; run the command of the plugin's own project (npx signum-bnn)`,
    );
  const values = checked(name, exported);
  const brings = Object.fromEntries(
    entriesOf(values).map(([key, list]) => [key, list.map((value) => idOf(value, kinds[key]))]),
  );
  return { given, file, isPackage, sha256, values, brings };
}

/**
 * Imports plugins, and nothing else.
 *
 * @param names paths that begin with a dot or a slash, or packages, looked for from the working directory
 * @throws UsageError for one that is not found, does not load, is not of the right shape, or has an id that is taken
 */
export async function importPlugins(names: readonly string[]): Promise<House> {
  const plugins: LoadedPlugin[] = [];
  for (const name of names) {
    const loaded = await imported(name);
    if (!plugins.some(({ file }) => file === loaded.file)) plugins.push(loaded);
  }
  requireFree(plugins);
  const all = <K extends keyof Plugin>(key: K) =>
    plugins.flatMap(({ values }): readonly object[] => values[key] ?? []) as unknown as NonNullable<Plugin[K]>;
  return {
    plugins,
    methods: all('methods'),
    models: all('models'),
    ops: all('ops'),
    packedOps: all('packedOps'),
    tasks: all('tasks'),
    data: all('data'),
  };
}
