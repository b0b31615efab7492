import type { Kernels } from '../../src/backend/kernels.ts';
import { nativeKernels } from '../../src/backend/native/binding.ts';
import { threads } from '../../src/backend/select.ts';
import { wasmKernels } from '../../src/backend/wasm/load.ts';
import { wordsFor } from '../../src/core/bits.ts';
import { convGeometry } from '../../src/core/conv-geometry.ts';
import { faster, inTurns, type Result, type Row, randomFloats } from '../harness.ts';
import { onnxConv } from '../onnx.ts';
import { ortNative, ortWasm } from '../ort.ts';
import { peerFile, requirePeer } from '../peers.ts';

/** ResNet-18's 3x3 convolutions. */
const shapes = [
  [56, 64],
  [28, 128],
  [14, 256],
  [7, 512],
] as const;

/** Float image in, float image out: sign-pack, XNOR convolution, scale. */
function binaryConv(kernels: Kernels, size: number, channels: number): () => void {
  const g = convGeometry('bench', [1, size, size, channels], [3, 3, channels, channels], { pad: 1 });
  const [x, w] = [randomFloats(size * size * channels), randomFloats(9 * channels * channels)];
  const filter = new Uint32Array(wordsFor(9 * channels, channels));
  kernels.packFilterSigns(w, filter, 9, channels, channels);
  const prepared = new Uint32Array(kernels.preparedFilterWords(g));
  kernels.prepareXnorFilter(filter, prepared, g);
  const words = new Uint32Array(wordsFor(size * size, channels));
  const [alpha, none, y] = [randomFloats(channels), new Float32Array(0), new Float32Array(x.length)];
  return () => {
    kernels.packSigns(x, words, size * size, channels);
    kernels.xnorConv2dScaled(words, prepared, alpha, none, none, y, g, 'zero');
  };
}

const floatConv = (size: number, channels: number) => onnxConv(size, channels, randomFloats(9 * channels * channels));
const imageOf = (size: number, channels: number) =>
  [randomFloats(size * size * channels), [1, channels, size, size]] as const;

async function tfjsConv(size: number, channels: number): Promise<() => unknown> {
  interface Tf {
    setBackend: (name: string) => Promise<boolean>;
    ready: () => Promise<void>;
    tensor: (data: Float32Array, shape: number[]) => object;
    conv2d: (
      x: object,
      w: object,
      stride: number,
      pad: string,
    ) => { dataSync: () => Float32Array; dispose: () => void };
  }
  const tf = requirePeer<Tf>('@tensorflow/tfjs');
  const wasm = requirePeer<{ setWasmPaths: (path: string) => void; setThreadsCount: (n: number) => void }>(
    '@tensorflow/tfjs-backend-wasm',
  );
  wasm.setWasmPaths(peerFile('@tensorflow/tfjs-backend-wasm/dist/'));
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const x = tf.tensor(randomFloats(size * size * channels), [1, size, size, channels]);
  const w = tf.tensor(randomFloats(9 * channels * channels), [3, 3, channels, channels]);
  return () => {
    const y = tf.conv2d(x, w, 1, 'same');
    y.dataSync();
    y.dispose();
  };
}

export const convRows: Row[] = shapes.map(([size, channels]) => ({
  name: `conv-native-${size}x${size}x${channels}`,
  run: async () => {
    threads(1);
    const theirs = await ortNative(floatConv(size, channels), ...imageOf(size, channels));
    const [ours, peer] = await inTurns([binaryConv(nativeKernels()!, size, channels), theirs]);
    return [
      faster(
        `binary conv ${size}x${size}x${channels}, native ${nativeKernels()!.detail}`,
        'onnxruntime-node fp32',
        ours! * 1e3,
        peer! * 1e3,
        'us',
        18,
        1,
      ),
    ];
  },
}));

export const wasmConvRows: Row[] = shapes.map(([size, channels]) => ({
  name: `conv-wasm-${size}x${size}x${channels}`,
  run: async (): Promise<Result[]> => {
    const kernels = wasmKernels();
    if (kernels instanceof Error) throw kernels;
    const ort = await ortWasm(floatConv(size, channels), ...imageOf(size, channels));
    const [ours, web, tfjs] = await inTurns(
      [binaryConv(kernels, size, channels), ort, await tfjsConv(size, channels)],
      9,
    );
    const row = `binary conv ${size}x${size}x${channels}, ${kernels.detail}`;
    return [
      faster(row, 'onnxruntime-web fp32', ours! * 1e3, web! * 1e3, 'us', 8, 1),
      faster(row, 'tfjs-wasm fp32', ours! * 1e3, tfjs! * 1e3, 'us', 5, 1),
    ];
  },
}));
