import type { Kernels } from '../../src/backend/kernels.ts';
import { nativeAddon, nativeKernels } from '../../src/backend/native/binding.ts';
import { threads } from '../../src/backend/select.ts';
import { wasmKernels } from '../../src/backend/wasm/load.ts';
import { wordsFor } from '../../src/core/bits.ts';
import { convGeometry } from '../../src/core/conv-geometry.ts';
import { alone, inTurns, more, type Row, randomFloats } from '../harness.ts';
import { python } from '../peers.ts';

const n = 1024;

/** 1024 x 1024 x 4096 with the second matrix already laid out, as a layer's weights are. */
function xnorProduct(kernels: Kernels): { run: () => void; operations: number } {
  const k = 4096;
  const g = convGeometry('bench', [1, 1, n, k], [1, 1, k, n]);
  const [a, b] = [new Uint32Array(wordsFor(n, k)), new Uint32Array(wordsFor(n, k))];
  kernels.packSigns(randomFloats(n * k), a, n, k);
  kernels.packSigns(randomFloats(n * k), b, n, k);
  const prepared = new Uint32Array(kernels.preparedFilterWords(g));
  kernels.prepareXnorFilter(b, prepared, g);
  const out = new Int32Array(n * n);
  return { run: () => kernels.xnorConv2d(a, prepared, out, g, 'one'), operations: 2 * n * n * k };
}

export const gemmRows: Row[] = [
  {
    name: 'xnor-gemm-native',
    run: async () => {
      threads(1);
      const addon = nativeAddon();
      if (addon instanceof Error) throw addon;
      const kernels = nativeKernels()!;
      const { run, operations } = xnorProduct(kernels);
      const peakOperations = new Float32Array(1);
      const [ours, peak] = await inTurns([run, () => addon.xnorPeak(20_000, peakOperations)]);
      const gops = (count: number, ms: number) => count / ms / 1e6;
      return [
        more(
          `xnor gemm 1024x1024x4096, native ${kernels.detail}`,
          'register-only loop',
          gops(operations, ours!),
          gops(peakOperations[0]!, peak!),
          'GOP/s',
          0.8,
          1,
        ),
      ];
    },
  },
  {
    name: 'xnor-gemm-wasm',
    run: async () => {
      const kernels = wasmKernels();
      if (kernels instanceof Error) throw kernels;
      const { run, operations } = xnorProduct(kernels);
      const [ours] = await inTurns([run], 9);
      return [
        more(
          `xnor gemm 1024x1024x4096, ${kernels.detail}`,
          'budget of 350 GOP/s',
          operations / ours! / 1e6,
          350,
          'GOP/s',
          1,
          1,
        ),
      ];
    },
  },
  {
    name: 'sgemm',
    run: async () => {
      threads(1);
      const kernels = nativeKernels()!;
      const [a, b, c] = [randomFloats(n * n), randomFloats(n * n), new Float32Array(n * n)];
      const [ours] = await inTurns([() => kernels.sgemm(false, false, n, n, n, a, b, false, c)]);
      const theirs = alone ? Number.NaN : Number(python('sgemm.py', ['1']));
      return [
        more(
          `sgemm 1024, native ${kernels.detail}`,
          'OpenBLAS (NumPy)',
          (2 * n ** 3) / ours! / 1e6,
          theirs,
          'GFLOP/s',
          0.85,
          1,
        ),
      ];
    },
  },
];
