import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { convGeometries, randomFloats } from '../kernels.testing.ts';
import { wasmBuilds } from './load.ts';

/** The one relaxed instruction in use, i8x16.relaxed_swizzle: its indices are nibbles here (assembly/xnor.ts), for which it is defined. */
const swizzle = 0x100;

/** Every SIMD instruction of a module, by number: `fd` and a LEB128 of the opcode. Data that looks like one is counted too, which only errs on the strict side. */
function simdOpcodes(bytes: Uint8Array): Set<number> {
  const found = new Set<number>();
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0xfd) continue;
    let [opcode, shift, at] = [0, 0, i + 1];
    do {
      opcode |= (bytes[at]! & 0x7f) << shift;
      shift += 7;
    } while (bytes[at++]! & 0x80 && shift < 21);
    found.add(opcode);
  }
  return found;
}

/** All others may give other bits on other machines: fused or not, NaN, rounding. */
const relaxedOpcodes = Array.from({ length: 0x30 }, (_, i) => 0x100 + i);

test.each([
  ['signum.wasm', [] as number[]],
  ['signum-relaxed.wasm', [swizzle]],
])('%s has no instruction whose result the machine may choose', (file, allowed) => {
  const opcodes = simdOpcodes(readFileSync(new URL(file, import.meta.url)));
  expect(opcodes.has(0xe4)).toBe(true); // f32x4.add: the scan finds instructions
  expect(relaxedOpcodes.filter((opcode) => opcodes.has(opcode))).toEqual(allowed);
});

test('both builds add products in one order: convolutions, their gradients and matrix products have the same bits', () => {
  const builds = wasmBuilds().map((build) => build.kernels());
  expect(builds.length).toBe(2);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), convGeometries(), (seed, g) => {
      const random = new Random(seed);
      const [inputs, outputs] = [g.batch * g.height * g.width, g.batch * g.outHeight * g.outWidth];
      const weights = (g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels) / g.groups;
      const [x, w, dy] = [inputs * g.inChannels, weights, outputs * g.outChannels].map((n) => randomFloats(random, n));
      const results = builds.map((kernels) => {
        const [y, dx, dw] = [dy!, x!, w!].map(({ length }) => new Float32Array(length));
        const product = new Float32Array(g.inChannels * g.outChannels);
        kernels.conv2d(x!, w!, y!, g);
        kernels.conv2dBackwardInput(dy!, w!, dx!, g);
        kernels.conv2dBackwardFilter(x!, dy!, dw!, g);
        kernels.sgemm(true, false, g.inChannels, g.outChannels, Math.min(inputs, outputs), x!, dy!, false, product);
        return [y, dx, dw, product];
      });
      expect(results[1]).toEqual(results[0]);
    }),
    { numRuns: 60 },
  );
});
