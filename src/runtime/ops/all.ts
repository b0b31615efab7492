import { UsageError } from '../../core/errors.ts';
import { quoted } from '../../core/printable.ts';
import type { PackedOp } from '../op.ts';
import { packedOps } from './table.ts';

/** This package's ops and those of others, by name. @throws UsageError when a name is taken */
export function allOps(others: readonly PackedOp[] = []): ReadonlyMap<string, PackedOp> {
  const all = new Map<string, PackedOp>(packedOps.map((op) => [op.op, op]));
  for (const op of others) {
    if (all.has(op.op)) throw new UsageError(`there is a packed op ${quoted(op.op)} already; give yours another name`);
    all.set(op.op, op);
  }
  return all;
}

/** Whether an op of this name is this package's. */
export const isPackedOp = (op: string): boolean => packedOps.some((known) => known.op === op);
