import { bytesAt } from '#platform';
import { kernels } from '../backend/select.ts';
import { loadWasm } from '../backend/wasm/load.ts';
import type { Bytes } from '../core/bytes.ts';
import { SignumError, UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { type LoadOptions, loadPackedModel, type PackedModel } from './packed-model.ts';
import { isZooName, zooFolder } from './zoo.ts';

/** A packed model: its file's path or address, `zoo:<network>`, or the file's bytes. */
export type ModelSource = string | URL | Bytes;

// not instanceof: an address of another frame has another constructor
const isAddress = (source: ModelSource): source is string | URL =>
  typeof source === 'string' || (typeof source === 'object' && source !== null && 'href' in source);

/** A page's kernels come from a file of their own; elsewhere they are there at once. */
async function prepareKernels(): Promise<void> {
  try {
    kernels();
  } catch {
    await loadWasm();
  }
}

async function bytesOfSource(source: string | URL): Promise<Bytes> {
  const address = typeof source === 'string' && isZooName(source) ? `${zooFolder(source)}/model.safetensors` : source;
  try {
    return await bytesAt(`${address}`);
  } catch (error) {
    if (error instanceof SignumError) throw error;
    throw new UsageError(
      `cannot load ${printable(`${source}`)} (${error instanceof Error ? error.message : String(error)}); expected a path, an address, zoo:<network> (\`signum zoo\` lists them), or the bytes of a packed model`,
    );
  }
}

/**
 * Loads a packed model from wherever it lies. In a page this loads the WebAssembly kernels too, as `loadWasm()` does.
 *
 * @param source path (Node.js), address, `zoo:<network>` (Node.js with the package @signum-bnn/zoo), or the bytes of the file
 * @throws UsageError when there is nothing to be had, FormatError for damaged or foreign files
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<PackedModel> {
  const bytes = isAddress(source) ? await bytesOfSource(source) : source;
  if (!options.kernels) await prepareKernels();
  return loadPackedModel(bytes, options);
}
