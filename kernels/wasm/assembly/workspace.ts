// Temporary memory of one kernel call. The binding places the arguments, then tells where free memory begins; nothing outlives a call.

let next: usize = 0;

export function beginCall(free: usize): void {
  next = (free + 63) & ~63;
}

/** `bytes` of uninitialised memory, growing it when needed. */
export function workspace(bytes: usize): usize {
  const start = next;
  next = (next + bytes + 63) & ~63;
  const pages = i32((next + 64 + 0xffff) >> 16);
  if (pages > memory.size()) memory.grow(pages - memory.size());
  return start;
}

export function wordsPerRow(channels: i32): i32 {
  return 2 * ((channels + 63) >> 6);
}
