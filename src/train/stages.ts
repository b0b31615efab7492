import type { BinaryPart } from '../binarize/stages.ts';
import { UsageError } from '../core/errors.ts';
import { type Distillation, untaught } from '../methods/distilled.ts';
import type { Method, Stage } from '../methods/method.ts';
import { inStage, requireStages } from '../methods/stages.ts';
import { type TrainConfig, tricksOf } from './config.ts';
import { distillationOf, taught } from './distillation.ts';
import type { StoredStage } from './effective-schema.ts';
import { isPlace, previousStage, type StageOptions, stagesNamed } from './stage-options.ts';
import { defaultsFrom } from './stored-defaults.ts';

/** One of the trainings that a run is made of, with everything that it trains with; most runs are one. */
export interface StagePlan {
  readonly index: number;
  /** Undefined in a run of one training that has no name. */
  readonly name: string | undefined;
  /** Of the run, that it begins with; counts from 0. */
  readonly first: number;
  readonly epochs: number;
  /** Undefined: what the method's schedule says. */
  readonly binary: BinaryPart | undefined;
  readonly teacher: StoredStage['teacher'];
  readonly isLast: boolean;
  /** Done to the layers before its first step. */
  readonly begin: Stage['begin'];
  /** What an option of the run says of this stage alone. */
  readonly options: StoredStage['options'];
  /** In the place of the method's own way to learn from its teacher. */
  readonly distillation: Distillation | null;
  /** Of the run, with what is said of this stage in the place of what is said of all. */
  readonly config: TrainConfig;
  /** As it trains in this stage, taught by its teacher. */
  readonly method: Method;
}

/** A stage before its place among the others is known. */
interface Part extends Pick<StagePlan, 'name' | 'binary' | 'teacher'> {
  /** In proportion. */
  readonly epochs: number;
  readonly options: StoredStage['options'];
  readonly method: Method;
  readonly begin?: Stage['begin'];
  /** Of a run that was begun. */
  readonly stored?: StoredStage['defaults'];
}

/** What an option of the run asks for. */
function givenParts(config: TrainConfig, method: Method, asked: readonly StageOptions[]): Part[] {
  requireStages(
    method,
    asked.map(({ binary }) => binary),
    tricksOf(config),
  );
  return asked.map(({ binary, name = binary, epochs = 1, teacher, ...options }, i) => {
    if (teacher === previousStage && i === 0)
      throw new UsageError(
        '--stages: the first stage has no previous one to learn from; name a run as its teacher, or leave it out',
      );
    return {
      name,
      epochs,
      binary,
      teacher: isPlace(teacher) ? teacher : 'run',
      options: { ...options, ...(teacher === undefined || isPlace(teacher) ? {} : { teacher }) },
      method,
    };
  });
}

/** What the method declares; a run's own way to learn from its teacher takes the place of that of every stage. */
const declaredParts = ({ distill }: TrainConfig, method: Method, stages: readonly Stage[]): Part[] =>
  stages.map((stage) => ({
    name: stage.name,
    epochs: stage.epochs,
    binary: stage.binary,
    teacher: distill === undefined ? (stage.teacher ?? 'run') : 'run',
    options: {},
    method: inStage(method, stage),
    begin: stage.begin,
  }));

function storedParts(config: TrainConfig, method: Method, stored: readonly StoredStage[]): Part[] {
  const isDeclared = config.stages === undefined;
  return stored.map((stage) => {
    const own = isDeclared ? method.stages?.find(({ name }) => name === stage.name) : undefined;
    if (isDeclared && !own)
      throw new UsageError(
        `the run has a stage "${stage.name}", which this version of "${method.id}" does not know: a later version of Signum made it; update`,
      );
    const base = own ? inStage(method, own) : method;
    return {
      ...stage,
      begin: own?.begin,
      stored: stage.defaults,
      method: { ...base, defaults: defaultsFrom(stage.defaults) },
    };
  });
}

function partsOf(config: TrainConfig, method: Method): Part[] {
  const { effective, stages } = config;
  if (effective?.stages) return storedParts(config, method, effective.stages);
  const isOne = effective !== undefined;
  if (!isOne && stages !== undefined)
    return givenParts(config, method, typeof stages === 'string' ? stagesNamed(stages) : stages);
  if (!isOne && method.stages) return declaredParts(config, method, method.stages);
  return [{ name: undefined, epochs: 1, binary: undefined, teacher: 'run', options: {}, method }];
}

/**
 * Epochs in the given proportions, at least one each.
 *
 * @throws UsageError when there are fewer epochs than stages
 */
export function inProportion(epochs: number, shares: readonly number[]): number[] {
  if (epochs < shares.length)
    throw new UsageError(
      `--epochs ${epochs}: the run has ${shares.length} stages, each of at least one epoch; give it ${shares.length} or more, or --stages both for a single training`,
    );
  const total = shares.reduce((a, b) => a + b);
  let [before, sum] = [0, 0];
  return shares.map((share, i) => {
    sum += share;
    const left = shares.length - 1 - i;
    const end = Math.min(Math.max(Math.round((epochs * sum) / total), before + 1), epochs - left);
    const own = end - before;
    before = end;
    return own;
  });
}

/** What is said of a stage, in the place of what the run says of all. */
function configIn(config: TrainConfig, { teacher, options, stored }: Part): TrainConfig {
  const { teacher: ofRun, distill, temperature, ...rest } = config;
  const { effective } = rest;
  const learned = {
    ...(ofRun !== undefined && teacher === 'run' ? { teacher: ofRun } : {}),
    ...(teacher === previousStage ? { teacher: previousStage } : {}),
    ...(teacher === 'none' ? {} : { distill, temperature }),
  };
  const merged: TrainConfig = {
    ...rest,
    ...learned,
    ...options,
    labelSmoothing: options.labelSmoothing ?? rest.labelSmoothing,
  };
  return effective && stored ? { ...merged, effective: { ...effective, defaults: stored } } : merged;
}

/**
 * The trainings that a run is made of: those it has stored, else those its options ask for, else those of its method.
 *
 * @param method of the run's network
 * @throws UsageError for stages that the method cannot have, or that are more than the epochs
 */
export function stagesOf(config: TrainConfig, method: Method): readonly StagePlan[] {
  const parts = partsOf(config, method);
  const lengths = inProportion(
    config.epochs,
    parts.map(({ epochs }) => epochs),
  );
  let first = 0;
  return parts.map((part, index) => {
    const epochs = lengths[index]!;
    const ofStage = configIn(config, part);
    const base = part.teacher === 'none' ? untaught(part.method) : part.method;
    const plan: StagePlan = {
      index,
      name: part.name,
      first,
      epochs,
      binary: part.binary,
      teacher: part.teacher,
      options: part.options,
      distillation: distillationOf(ofStage, base),
      begin: part.begin,
      isLast: index === parts.length - 1,
      config: ofStage,
      method: taught(ofStage, base),
    };
    first += epochs;
    return plan;
  });
}

/** Whether a run is made of stages that it names, be it a single one. */
export const hasStages = (plans: readonly StagePlan[]): boolean => plans[0]!.name !== undefined;

/** The stage that an epoch belongs to; the last one of epochs beyond the end. */
export const stageAt = (plans: readonly StagePlan[], epoch: number): StagePlan =>
  plans.find(({ first, epochs }) => epoch < first + epochs) ?? plans.at(-1)!;

/** `1 weights (epochs 1 to 20), 2 both (21 to 40)` */
export function stagesText(plans: readonly StagePlan[]): string {
  return plans
    .map(
      ({ index, name, first, epochs }) =>
        `${index + 1} ${name} (${epochs === 1 ? `epoch ${first + 1}` : `epochs ${first + 1} to ${first + epochs}`})`,
    )
    .join(', ');
}

/**
 * The stored stages of a run that goes on for more epochs: those that are over stay, the others have the rest in proportion.
 *
 * @param done epochs trained so far
 */
export function prolongedStages(stages: readonly StoredStage[], epochs: number, done: number): StoredStage[] {
  let first = 0;
  const over = stages.slice(0, -1).filter(({ epochs: own }) => {
    first += own;
    return first <= done;
  });
  const left = stages.slice(over.length);
  const before = over.reduce((sum, { epochs: own }) => sum + own, 0);
  const lengths = inProportion(
    epochs - before,
    left.map(({ epochs: own }) => own),
  );
  return [...over, ...left.map((stage, i) => ({ ...stage, epochs: lengths[i]! }))];
}
