import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the packed model in a run folder. */
export const packedFile = 'model.safetensors';

/** Name of the file that makes a folder an ensemble's. */
export const ensembleFile = 'ensemble.json';

export const isEnsemble = (folder: string): boolean => existsSync(join(folder, ensembleFile));
