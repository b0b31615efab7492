import { usualAugmentation } from '../data/table.ts';
import { methodNamed } from '../methods/table.ts';
import { parseConfig, type TrainConfig } from './config.ts';
import type { Plugin } from './plugin.ts';

/** `--pad-crop 4 --flip` */
const asOptions = ({ padCrop, flip }: Pick<TrainConfig, 'padCrop' | 'flip'>): string =>
  [...(padCrop ? [`--pad-crop ${padCrop}`] : []), ...(flip ? ['--flip'] : [])].join(' ');

/**
 * A new run's config with the augmentation that its images are usually trained with, as far as it says nothing itself; with none of it where the
 * method's reference has none. Digits are never mirrored, and of a folder nobody knows what may be.
 *
 * @returns with a line for the log, where something was added or left out
 */
export function withUsualAugmentation(
  config: TrainConfig,
  own: Pick<Plugin, 'methods' | 'data'> = {},
): { config: TrainConfig; note: string | null } {
  const usual = usualAugmentation(config.data, own.data);
  const { padCrop, flip } = config;
  if (!usual || (padCrop !== undefined && flip !== undefined)) return { config, note: null };
  const none = methodNamed(config.method, undefined, own.methods).defaults.augmentation === 'none';
  const used = {
    padCrop: padCrop ?? (none ? 0 : (usual.padCrop ?? 0)),
    flip: flip ?? (none ? false : (usual.flip ?? false)),
  };
  const note = none
    ? `augmentation: ${asOptions(used) || 'none'}: the reference of ${config.method} has none; ${asOptions(usual)} is usual for ${config.data}`
    : `augmentation: ${asOptions(used) || 'none'}, as usual for ${config.data}; --pad-crop 0 and --no-flip switch it off`;
  return { config: parseConfig({ ...config, ...used }), note };
}
