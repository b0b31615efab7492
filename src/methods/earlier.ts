import { unitActivation } from '../binarize/level-activations.ts';
import { standardise } from '../binarize/transforms.ts';
import { tanhLevels } from '../binarize/weights.ts';
import { abBnn } from './ab-bnn.ts';
import { adaBin, plainSet } from './ada-bin.ts';
import { apprenticeA, apprenticeB, apprenticeC } from './apprentice.ts';
import { biper } from './biper.ts';
import { defensiveQuantization } from './defensive-quantization.ts';
import { dorefaNet } from './dorefa.ts';
import { firstDefaults } from './first-defaults.ts';
import { oneForm } from './forms.ts';
import { groupNetGroupwise } from './group-net.ts';
import { irNet, irNetResnet20, slopeFrom } from './ir-net.ts';
import { lqNet } from './lq-nets.ts';
import type { Method, Structure, TrainingDefaults } from './method.ts';
import { clippedAt, pactNet } from './pact.ts';
import { rbnn } from './rbnn.ts';
import { reactNet } from './react-net.ts';
import { realToBinary } from './real-to-binary.ts';
import { rebnn } from './rebnn.ts';
import { clampedWeights, recu } from './recu.ts';
import { magnitudeWeights, siman } from './siman.ts';
import { activationLadder, guidedTraining, stepping } from './stepping.ts';
import { syq, syqLayer, syqRow } from './syq.ts';
import { wrpnNet } from './wrpn.ts';

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

const withFirstFields = (structure: Structure): Structure =>
  Object.fromEntries(Object.entries(structure).filter(([name]) => firstFields.has(name))) as unknown as Structure;

/** A method as its runs of version 0.1 were trained: structure and defaults of then, one recipe for all models. */
export const asFirst = ({ stages: _, ...method }: Method): Method => ({
  ...method,
  structure: withFirstFields(method.structure),
  defaults: { ...firstDefaults(method), epochs: method.defaults.epochs, batch: method.defaults.batch },
  recipes: {},
});

/** The first form of a method that has another one now. */
const first = (method: Method, changes: Partial<Method> = {}, defaults: Partial<TrainingDefaults> = {}): Method => {
  const form = asFirst(method);
  return { ...form, ...changes, revision: 1, defaults: { ...form.defaults, ...defaults } };
};

/** Few-bit activations of before halves went to even codes. */
const tiesUp = (method: Method, changes: Partial<Method> = {}): Method =>
  first(method, { activation: unitActivation(method.bits.activation, 'up'), ...changes });

/** One training of two parts, before such methods were two trainings: weights became binary at this share of it, under one schedule. */
const oneTraining = (share: number, tau?: readonly [number, number]): Pick<Method, 'schedule'> => ({
  schedule: ({ progress }) => {
    const part = progress < share ? 0 : 1;
    return { binaryWeights: part, ...(tau ? { tau: tau[part] } : {}) };
  },
});

/** The same of methods whose first runs have stored their structure and their defaults. */
const unstaged = ({ stages: _, ...method }: Method, changes: Pick<Method, 'schedule'>): Method => ({
  ...method,
  ...changes,
  revision: 1,
});

/** The slope below 0 was a factor of that above. */
const gainedAdaBin: Method = {
  ...adaBin,
  revision: 2,
  structure: { ...adaBin.structure, activation: 'maxout', stem: 'maxout' },
};

/**
 * What methods were before their present `revision`: runs evaluate, pack and continue as what they were. A form is added here, whole, when a change
 * of its method gives other outputs, other parameters, another schedule or another value of a structure field that existed.
 */
export const earlier: readonly Method[] = [
  first(irNet, { schedule: slopeFrom(0.1) }),
  first(irNetResnet20),
  first(recu, { weight: clampedWeights(standardise) }),
  { ...recu, revision: 2, weight: clampedWeights(standardise) },
  { ...siman, revision: 1, weight: magnitudeWeights(standardise) },
  first(rbnn),
  first(
    gainedAdaBin,
    { activation: plainSet, schedule: ({ progress }) => ({ t: 0.01 * 1000 ** progress }) },
    { batch: 256 },
  ),
  gainedAdaBin,
  first(lqNet(1, 2)),
  first(lqNet(2, 2)),
  {
    ...oneForm(groupNetGroupwise),
    id: 'group-net-bpac',
    revision: 1,
    title: 'Group-Net BPAC, one binary filter at two dilations',
    structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'none', dilations: 2 },
  },
  tiesUp(dorefaNet({ weight: 1, activation: 1 })),
  tiesUp(dorefaNet({ weight: 1, activation: 2 })),
  tiesUp(dorefaNet({ weight: 1, activation: 2, gradient: 6 })),
  tiesUp(dorefaNet({ weight: 2, activation: 2 }), { weight: tanhLevels(2, 'up') }),
  tiesUp(guidedTraining),
  tiesUp(defensiveQuantization),
  tiesUp(wrpnNet(2, 1)),
  tiesUp(wrpnNet(2, 2)),
  tiesUp(apprenticeA),
  tiesUp(apprenticeB),
  tiesUp(apprenticeC),
  tiesUp(syq),
  tiesUp(syqRow),
  tiesUp(syqLayer),
  first(pactNet(4), { activation: clippedAt(4, 'up') }),
  first(pactNet(2), { activation: clippedAt(2, 'up') }),
  first(reactNet, oneTraining(0.5)),
  first(realToBinary, oneTraining(0.5)),
  unstaged(rebnn, oneTraining(0.5)),
  unstaged(abBnn, oneTraining(0.5)),
  unstaged(biper, oneTraining(2 / 3, [0.037, 0.0468])),
  first(stepping, { activation: activationLadder('up') }),
];
