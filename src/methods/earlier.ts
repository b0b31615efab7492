import { groupNetGroupwise } from './group-net.ts';
import type { Method, Structure } from './method.ts';

/**
 * What methods were before their present `revision`: runs evaluate, pack and continue as what they were. A form is added here, whole, when a change
 * of its method gives other outputs, other parameters or another value of a structure field that existed.
 */
export const earlier: readonly Method[] = [
  {
    ...groupNetGroupwise,
    id: 'group-net-bpac',
    revision: 1,
    title: 'Group-Net BPAC, one binary filter at two dilations',
    structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'none', dilations: 2 },
  },
];

/** The fields of a structure in the days before runs stored theirs. Closed: later fields were absent then. */
const firstFields: ReadonlySet<string> = new Set<keyof Structure>([
  'order',
  'shortcut',
  'activation',
  'gatedShortcut',
  'plainNorm',
  'shiftNorm',
  'pooling',
  'normMomentum',
  'widen',
  'branches',
  'dilations',
  'activationScale',
  'scaleInvariantWeights',
]);

/** A method of revision 1 with the structure that runs without a stored one were trained in. */
export function asFirst(method: Method): Method {
  const fields = Object.entries(method.structure).filter(([name]) => firstFields.has(name));
  return { ...method, structure: Object.fromEntries(fields) as unknown as Structure };
}
