import { field } from './geometry';

/** Runs of values in three nested loops; field order as in src/backend/flat-kernels.ts. */
export function copyBlocks(x: usize, y: usize, g: usize): void {
  for (let i = 0; i < 4; i++) if (field(g, i) == 0) return;
  const bytes = <usize>field(g, 3) << 2;
  for (let a = 0; a < field(g, 0); a++) for (let b = 0; b < field(g, 1); b++) {
    let from = x + (<usize>(field(g, 4) + a * field(g, 5) + b * field(g, 6)) << 2);
    let to = y + (<usize>(field(g, 8) + a * field(g, 9) + b * field(g, 10)) << 2);
    const step = <usize>field(g, 7) << 2, outStep = <usize>field(g, 11) << 2;
    for (let c = 0; c < field(g, 2); c++) {
      memory.copy(to, from, bytes);
      from += step;
      to += outStep;
    }
  }
}
