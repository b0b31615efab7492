/** Sizes per axis, outermost first; images are [N,H,W,C], convolution filters [KH,KW,Cin,Cout]. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** `[8,32,32,3]`, as shapes are written in every message. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Extent of the last axis (channels); 1 for a scalar. */
export function channelsOf(shape: Shape): number {
  return shape.at(-1) ?? 1;
}
