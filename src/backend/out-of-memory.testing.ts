import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { nativeKernels } from './native/binding.ts';

/** A convolution whose padded images do not fit this process's address space, on a thread of the pool too; then one that does. */
const kernels = nativeKernels()!;
const dilation = 490;
const side = { batch: 2, height: 1, width: 1, inChannels: 1024, kernelHeight: 3, kernelWidth: 3, outChannels: 1 };
const huge = { ...side, stride: 1, pad: dilation, dilation, groups: 1, outHeight: 1, outWidth: 1 };
const small = { ...huge, pad: 1, dilation: 1 };
const [x, filter, y] = [new Float32Array(2048).fill(2), new Float32Array(9 * 1024).fill(3), new Float32Array(2)];
// 2 GB more than now; at the start, an engine's own reservations would not fit
const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]);
execFileSync('prlimit', ['--pid', String(process.pid), `--as=${pages * 4096 + 2e9}`]);
for (let round = 0; round < 3; round++) {
  try {
    kernels.conv2d(x, filter, y, huge);
    console.log('fits');
  } catch (error) {
    console.log((error as Error).message);
  }
  kernels.conv2d(x, filter, y, small);
  console.log([...new Set(y)].join());
}
