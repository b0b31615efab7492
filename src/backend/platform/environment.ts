import { UsageError } from '../../core/errors.ts';

export function environmentVariable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined; // Deno without --allow-env
  }
}

/** The addon reads the variable itself, as any number it can make of it. @throws UsageError when it is no number of threads */
export function checkThreads(): void {
  const wanted = environmentVariable('SIGNUM_THREADS') ?? '';
  if (!/^([1-9]\d*)?$/.test(wanted))
    throw new UsageError(
      `SIGNUM_THREADS is "${wanted}": expected a whole number of threads, 1 or more; unset, all cores are used`,
    );
}
