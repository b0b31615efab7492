import type { BackendName } from '../backend/select.ts';
import { printable } from '../core/printable.ts';

/**
 * What a backend gave on the calibration images: `values`, every value equal to the trained network's, bit for bit; or `signs`, every
 * sign and class equal, floats between them within rounding.
 */
export type ProvedEqual = 'values' | 'signs';

/** What packing proved, on how many calibration images and by which backends. Stored in the file's metadata as JSON. */
export interface Proof {
  readonly images: number;
  readonly on: readonly {
    readonly backend: BackendName;
    readonly instructionSet: string;
    readonly equal: ProvedEqual;
  }[];
}

/** "every value equals the trained network's on 64 images (native avx2); every sign and class (wasm wasm-relaxed-simd)" */
export function describeProof({ images, on }: Proof): string {
  const what = {
    values: "every value equals the trained network's, bit for bit",
    signs: 'every sign and class equals it, floats within rounding',
  };
  return `on ${images} images: ${on.map(({ backend, instructionSet, equal }) => `${what[equal]} (${backend}, ${instructionSet})`).join('; ')}`;
}

const isProved = (entry: unknown): entry is Proof['on'][number] => {
  const { backend, instructionSet, equal } = (entry ?? {}) as Record<string, unknown>;
  return (
    ['native', 'wasm', 'reference'].includes(backend as string) &&
    typeof instructionSet === 'string' &&
    instructionSet.length < 64 &&
    printable(instructionSet) === instructionSet &&
    (equal === 'values' || equal === 'signs')
  );
};

/** @returns null where the text is not a proof: it is a note, and no reason to refuse a file */
export function parseProof(text: string | undefined): Proof | null {
  if (text === undefined || text.length > 4096) return null;
  try {
    const { images, on } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isInteger(images) || (images as number) < 1 || !Array.isArray(on) || !on.every(isProved)) return null;
    return {
      images: images as number,
      on: on.map(({ backend, instructionSet, equal }) => ({ backend, instructionSet, equal })),
    };
  } catch {
    return null;
  }
}
