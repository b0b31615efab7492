import { vi } from 'vitest';

/** Hands on what is written to the standard streams instead of printing it, until `vi.restoreAllMocks`. */
export function catchOutput(out: (text: string) => void, err?: (text: string) => void): void {
  const streams = [
    [process.stdout, out],
    [process.stderr, err],
  ] as const;
  for (const [stream, hear] of streams)
    if (hear)
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        hear(String(text));
        return true;
      });
}
