import { ownedBy } from '../tensor/tape.ts';
import type { AnyModule } from './module.ts';

/** Methods of a module that compute: `apply` is forward with more inputs, `steps` tells what lies in between. */
const entrances = ['forward', 'apply', 'steps'] as const;

/** Until the returned function is called, what the module computes is recorded as its own. */
function mark(module: AnyModule): () => void {
  const members = module as unknown as Record<string, unknown>;
  const restore = entrances.flatMap((name) => {
    const original = members[name];
    if (typeof original !== 'function') return [];
    const before = Object.getOwnPropertyDescriptor(module, name);
    members[name] = (...inputs: unknown[]) => ownedBy(module, () => original.apply(module, inputs) as unknown);
    return [() => (before ? Object.defineProperty(module, name, before) : Reflect.deleteProperty(module, name))];
  });
  return () => {
    for (const undo of restore) undo();
  };
}

/** Runs `body`; every op that a module of `root` computes meanwhile knows the innermost one it is of (`TapeNode.owner`). */
export function withOwners<T>(root: AnyModule, body: () => T): T {
  const restore = [...new Set([root, ...root.modules().map(({ value }) => value)])].map(mark);
  try {
    return body();
  } finally {
    for (const undo of restore) undo();
  }
}
