import { UsageError } from '../core/errors.ts';
import { reasonOf } from '../core/printable.ts';

/**
 * A package that running models does without, loaded where its work is first needed.
 *
 * @param load `() => import('name')`
 * @param work what needs it, as the error says it: `decoding pictures`
 * @throws UsageError when it is not installed, or not for this system
 */
export async function optionalPackage<T>(load: () => Promise<T>, name: string, work: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = reasonOf(error).trim().split('\n')[0];
    throw new UsageError(`${work} needs the package ${name}: \`npm install ${name}\` (it does not load: ${reason})`);
  }
}

/** The decoder and encoder of pictures, a native library of 14 MB. */
export const loadSharp = async () =>
  (await optionalPackage(() => import('sharp'), 'sharp', 'reading and writing pictures')).default;
