/** Whoever is sure decides: channel `to` moves by the sign of `from`, or against it. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly direction: 1 | -1;
}

/** Edges of one layer, in the order in which they act; `sureFrom` and `step` in units of the dot product. */
export interface Interaction {
  readonly edges: readonly Edge[];
  readonly sureFrom: number;
  readonly step: number;
}

/**
 * o_to += direction * step * (1[o_from >= sureFrom] - 1[o_from <= -sureFrom]), edge by edge, each seeing what those before it did.
 *
 * @param y [P,C], changed in place
 * Source: Wang 2019 (CI-BCNN), eq. 3-4, in the symmetric form.
 */
export function interact(y: Float32Array, channels: number, { edges, sureFrom, step }: Interaction): void {
  for (let row = 0; row < y.length; row += channels)
    for (const { from, to, direction } of edges) {
      const value = y[row + from]!;
      if (value >= sureFrom) y[row + to]! += direction * step;
      else if (value <= -sureFrom) y[row + to]! -= direction * step;
    }
}
