// Written by src/backend/kernel-lists.testing.ts from the tables in src/backend: change those.

@inline export function field(g: usize, i: i32): i32 {
  return load<i32>(g + (<usize>i << 2));
}

export class Conv {
  batch: i32; height: i32; width: i32; inChannels: i32; kernelHeight: i32; kernelWidth: i32; outChannels: i32; stride: i32; pad: i32; dilation: i32; groups: i32; outHeight: i32; outWidth: i32;
}

const conv = new Conv();

/** Reads a geometry into the one shared object: kernels do not nest. */
export function readConv(g: usize): Conv {
  conv.batch = field(g, 0);
  conv.height = field(g, 1);
  conv.width = field(g, 2);
  conv.inChannels = field(g, 3);
  conv.kernelHeight = field(g, 4);
  conv.kernelWidth = field(g, 5);
  conv.outChannels = field(g, 6);
  conv.stride = field(g, 7);
  conv.pad = field(g, 8);
  conv.dilation = field(g, 9);
  conv.groups = field(g, 10);
  conv.outHeight = field(g, 11);
  conv.outWidth = field(g, 12);
  return conv;
}

export class Pool {
  batch: i32; height: i32; width: i32; channels: i32; window: i32; stride: i32; pad: i32; outHeight: i32; outWidth: i32;
}

const pool = new Pool();

/** Reads a geometry into the one shared object: kernels do not nest. */
export function readPool(g: usize): Pool {
  pool.batch = field(g, 0);
  pool.height = field(g, 1);
  pool.width = field(g, 2);
  pool.channels = field(g, 3);
  pool.window = field(g, 4);
  pool.stride = field(g, 5);
  pool.pad = field(g, 6);
  pool.outHeight = field(g, 7);
  pool.outWidth = field(g, 8);
  return pool;
}
