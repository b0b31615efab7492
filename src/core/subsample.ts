/** Sizes of ResNet's parameter-free shortcut: every `stride`-th pixel of [N,H,W,C], centred in `channels` channels. */
export interface SubsampleGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly from: number;
  readonly stride: number;
  readonly channels: number;
}

/** Calls `visit` with the offset of each kept pixel in the image and of its first channel in the padded output. */
function eachKeptPixel(g: SubsampleGeometry, visit: (input: number, output: number) => void): void {
  const before = (g.channels - g.from) >> 1;
  let output = before;
  for (let n = 0; n < g.batch; n++)
    for (let y = 0; y < g.height; y += g.stride)
      for (let x = 0; x < g.width; x += g.stride, output += g.channels)
        visit(((n * g.height + y) * g.width + x) * g.from, output);
}

/** y = the kept pixels of x, zero in the added channels (He et al. 2016, option A). */
export function subsample(x: Float32Array, y: Float32Array, g: SubsampleGeometry): void {
  y.fill(0);
  eachKeptPixel(g, (input, output) => {
    // a loop, because a view per pixel costs more than its few channels
    for (let c = 0; c < g.from; c++) y[output + c] = x[input + c]!;
  });
}

/** dx = dy at the kept pixels, zero elsewhere. */
export function subsampleBackward(dy: Float32Array, dx: Float32Array, g: SubsampleGeometry): void {
  dx.fill(0);
  eachKeptPixel(g, (input, output) => {
    for (let c = 0; c < g.from; c++) dx[input + c] = dy[output + c]!;
  });
}
