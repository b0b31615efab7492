import type { Kernels } from '../../src/backend/kernels.ts';
import { nativeKernels } from '../../src/backend/native/binding.ts';
import { threads } from '../../src/backend/select.ts';
import { wasmKernels } from '../../src/backend/wasm/load.ts';
import { faster, inTurns, type Row, randomFloats } from '../harness.ts';
import { onnxDense } from '../onnx.ts';
import { ortNative, ortWasm } from '../ort.ts';

/** AlexNet's and VGG's middle layer, and ResNet-18's last. */
const shapes = [
  [4096, 4096],
  [512, 1000],
] as const;

const backends = [
  { name: 'native', kernels: nativeKernels, peer: 'onnxruntime-node fp32', other: ortNative },
  { name: 'wasm', kernels: wasmKernels, peer: 'onnxruntime-web fp32', other: ortWasm },
] as const;

function dense(kernels: Kernels, inputs: number, outputs: number): () => void {
  const [x, w, y] = [randomFloats(inputs), randomFloats(inputs * outputs), new Float32Array(outputs)];
  return () => kernels.sgemm(false, false, 1, outputs, inputs, x, w, false, y);
}

/** A dense layer of floats for one image: as long as it takes to read its weights. */
export const denseRows: Row[] = backends.flatMap(({ name, kernels, peer, other }) =>
  shapes.map(([inputs, outputs]) => ({
    name: `dense-${name}-${inputs}x${outputs}`,
    run: async () => {
      threads(1);
      const own = kernels();
      if (!own || own instanceof Error) throw own ?? new Error(`no ${name} kernels here`);
      const theirs = await other(onnxDense(inputs, outputs), randomFloats(inputs), [1, inputs]);
      const [ms, peerMs] = await inTurns([dense(own, inputs, outputs), theirs]);
      const row = `dense 1x${inputs}x${outputs}, ${own.name} ${own.detail}`;
      return [faster(row, peer, ms! * 1e3, peerMs! * 1e3, 'us', 1, 1)];
    },
  })),
);
