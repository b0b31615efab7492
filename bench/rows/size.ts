import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { type LayerSummary, summarise, sumOf } from '../../src/analysis/summary.ts';
import { packTopology } from '../../src/analysis/untrained.ts';
import { faster, type Row } from '../harness.ts';

/** Packed size of the binary layers' weights against float32, and of the whole file's tensors. */
function sizeRow(model: string): Row {
  return {
    name: `size-${model}`,
    run: async () => {
      const layers = summarise(packTopology(model, 'bnn', 1).model, 1, 1);
      const binary = layers.filter((layer) => layer.binaryMacs > 0);
      const weights = binary.map((layer) => ({
        float: layer.floatBytes - 4 * extras(layer),
        packed: layer.packedBytes - 4 * extras(layer),
      }));
      const [floatWeights, packedWeights] = [
        weights.reduce((t, w) => t + w.float, 0),
        weights.reduce((t, w) => t + w.packed, 0),
      ];
      return [
        faster(
          `${model}: weights of the binary layers`,
          'float32',
          packedWeights / 1000,
          floatWeights / 1000,
          'kB',
          32,
          1,
        ),
        faster(
          `${model}: all tensors`,
          'float32',
          sumOf(layers, 'packedBytes') / 1000,
          sumOf(layers, 'floatBytes') / 1000,
          'kB',
          1,
          1,
        ),
      ];
    },
  };
}

/** Thresholds, scales and shifts beside the weights, of which each pixel of the output takes every one. */
function extras({ shape, parameters, binaryMacs }: LayerSummary): number {
  const pixels = shape
    .split('x')
    .slice(0, -1)
    .reduce((product, side) => product * Number(side), 1);
  return parameters - binaryMacs / pixels;
}

/** What a page downloads that calls `load`: the runtime as it is published, minified, its worker, and its .wasm if it is not inside. Needs `npm run build`. */
function runtimeRow(name: string, entry: string, files: readonly string[], wasm: readonly string[]): Row {
  return {
    name,
    run: async () => {
      const dist = (path: string) => fileURLToPath(new URL(`../../dist/backend/${path}`, import.meta.url));
      const contents = `export { load } from ${JSON.stringify(dist(files[0]!))}`;
      const page: Plugin = {
        name: 'page',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^page$/ }, () => ({ path: 'page', namespace: 'page' }));
          onLoad({ filter: /./, namespace: 'page' }, () => ({ contents, resolveDir: dist('bundle') }));
        },
      };
      const { outputFiles } = await build({
        entryPoints: ['page', ...files.slice(1).map(dist)],
        plugins: [page],
        bundle: true,
        splitting: true,
        minify: true,
        format: 'esm',
        write: false,
        outdir: 'out',
        platform: 'browser',
      });
      const zipped = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length / 1000;
      const parts = [...outputFiles.map(({ contents }) => contents), ...wasm.map((path) => readFileSync(dist(path)))];
      const total = parts.reduce((sum, part) => sum + zipped(part), 0);
      return [faster(entry, 'budget of 40 kB', total, 40, 'kB', 1, 1)];
    },
  };
}

const ofPages = ['bundle/browser.js', 'bundle/browser-worker.js'];
const runtimeRows = [
  runtimeRow('size-runtime', 'signum-bnn/runtime with its .wasm, gzip', ofPages, ['wasm/signum.wasm']),
  runtimeRow('size-inline', 'signum-bnn/runtime/inline with both builds, gzip', ['bundle/inline.js'], []),
];

export const sizeRows: Row[] = [sizeRow('vgg-small'), sizeRow('resnet18'), sizeRow('resnet20'), ...runtimeRows];
