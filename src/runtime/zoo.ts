import { zooFolder as folderOf } from '#platform';

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
export const zooFolder = (name: string): string => folderOf(name.slice(prefix.length));
