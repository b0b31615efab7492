import { zooFolders } from '#platform';
import { UsageError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';

const prefix = 'zoo:';

/** Whether a name means a trained network of the package @signum-bnn/zoo. */
export const isZooName = (name: string): boolean => name.startsWith(prefix);

/**
 * The folder of a trained network: `config.json`, `metrics.jsonl`, `model.safetensors`, and `checkpoint.safetensors` with the float weights of
 * small ones.
 *
 * @param name `zoo:<network>`
 * @throws UsageError when there is no such network, or no zoo, with what to do
 */
export function zooFolder(name: string): string {
  const id = name.slice(prefix.length);
  if (zooFolders === null)
    throw new UsageError(
      `${quoted(name)}: a page loads a network by its address: import address from '@signum-bnn/zoo/${id}', then load(address) (docs/bundlers.md)`,
    );
  const folders = zooFolders();
  if (folders === null)
    throw new UsageError(
      `${quoted(name)} is of the package @signum-bnn/zoo, which is not installed here: \`npm install @signum-bnn/zoo\``,
    );
  const folder = folders.get(id);
  if (folder !== undefined) return folder;
  throw new UsageError(`the zoo has no network ${quoted(id)}; it has ${[...folders.keys()].join(', ')}`);
}
