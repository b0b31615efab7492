import * as z from 'zod';
import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import type { Method } from '../methods/method.ts';
import type { Tricks } from '../methods/tricks.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { changedRule, optimizerFrom } from '../optim/rules.ts';
import { namedSchedules, type RateSchedule, scheduleFrom, warmUp } from '../optim/schedules.ts';
import { effectiveSchema } from './effective-schema.ts';
import { learningShape, stageOptionsSchema, stagesNamed } from './stage-options.ts';

const activation = z
  .enum(['hardtanh', 'relu', 'prelu', 'rprelu', 'shift-rprelu', 'two-slopes', 'maxout', 'none'])
  .optional();

/** Options that change the method (survey sec. 3.5). */
const tricksShape = {
  blockOrder: z.enum(['conv-bn', 'bn-conv']).optional(),
  pooling: z.enum(['before-norm', 'after-norm']).optional(),
  shortcut: z.enum(['every-conv', 'every-block', 'none']).optional(),
  activation,
  head: z.enum(['norm', 'plain']).optional(),
  stem: activation,
  downsample: z.enum(['strided', 'average']).optional(),
  firstLast: z.enum(['float', 'binary', 'binary-biased']).optional(),
  normMomentum: z.number().positive().max(1).optional(),
  estimator: z.string().optional(),
  weightEstimator: z.string().optional(),
  bitSteps: z.array(z.int().min(2).max(8)).min(1).max(8).optional(),
  partitions: z.array(z.number().positive().lt(1)).min(1).max(8).optional(),
};

export const tricksSchema = z.strictObject({
  ...tricksShape,
  /** Of runs that were begun before stages were trainings of their own. */
  stages: z.enum(['activations-first', 'weights-first']).optional(),
});

/** Precision by layer name. */
export const policySchema = z.record(z.string(), z.string());

/** The part of a config that changes the method; undefined when nothing does. */
export function tricksOf(config: TrainConfig): Tricks | undefined {
  const { effective, stages } = config;
  const given: [string, unknown][] = Object.keys(tricksShape).flatMap((key): [string, unknown][] => {
    const value = config[key as keyof typeof tricksShape];
    return value === undefined ? [] : [[key, value]];
  });
  if (effective && !effective.stages && stages !== undefined) given.push(['stages', stages]);
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** What the user may set for a run; everything absent comes from the method. Stored as config.json in the run folder. */
const schema = z.strictObject({
  model: z.string(),
  method: z.string(),
  data: z.string(),
  /** What for; default classification. */
  task: z.string().optional(),
  /** Which of the task's heads; default its first. */
  taskHead: z.string().optional(),
  /** Settings of the head that are not its usual ones. */
  headSettings: z.record(z.string(), z.unknown()).optional(),
  width: z.number().positive().max(64).default(1),
  epochs: z.int().positive().max(100_000),
  batch: z.int().positive().max(65_536),
  ...learningShape,
  labelSmoothing: z.number().min(0).lt(1).default(0),
  ...tricksShape,
  /** A plan by its name, what is binary in each stage (`activations,both`), or the stages themselves. */
  stages: z.union([z.string(), z.array(stageOptionsSchema).min(1).max(16)]).optional(),
  policy: policySchema.optional(),
  padCrop: z.int().min(0).max(64).optional(),
  flip: z.boolean().optional(),
  resizedCrop: z.boolean().default(false),
  /** Side of the square that is blanked. */
  cutout: z.int().positive().max(1024).optional(),
  /** Both parameters of the Beta distribution that shares are drawn from. */
  mixup: z.number().positive().max(100).optional(),
  /** Share of broken pictures in a folder that may be left out. */
  allowBroken: z.number().min(0).lt(1).optional(),
  /** Which fifth of a folder without test pictures is kept for the test: of its own, so that runs of other seeds have seen none of it. */
  splitSeed: z.int().min(0).optional(),
  /** Run whose weights are the first ones, where names and sizes agree. */
  init: z.string().optional(),
  /** How much of the moving average of weights a step leaves; the averages are what is evaluated and packed. */
  ema: z.number().positive().lt(1).optional(),
  /** Training images on which batch-norm's statistics are measured anew at the end. */
  reestimateNorm: z.int().positive().optional(),
  /** Training images held back, drawn by the seed, to choose the best epoch on. */
  validation: z.int().positive().optional(),
  /** Which checkpoint is kept beside the last one. */
  keep: z.enum(['best']).optional(),
  /** Stop after so many epochs without a better one. */
  patience: z.int().positive().optional(),
  /** Use only a fixed random sample of each split, for quick trials. */
  limit: z.int().positive().optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1),
  /** Of a run that was begun: what it was made with where the options say nothing. */
  effective: effectiveSchema.optional(),
});

/** How a run trains, every value said; what `config.json` holds. */
export type TrainConfig = z.infer<typeof schema>;
/** The same as a caller gives it: what is left out has the default of the method or of Signum. */
export type TrainOptions = z.input<typeof schema>;

/** What was asked for, without what came of it. */
export const askedOf = ({ effective: _, ...asked }: TrainConfig): Omit<TrainConfig, 'effective'> => asked;

/** `bitSteps` -> `--bit-steps` */
export const optionName = (key: string): string => `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/** @throws UsageError naming the first option that is wrong: what was given, what is expected; or the nearest known one */
export function parseConfig(options: unknown): TrainConfig {
  const stages = (options as Partial<TrainOptions> | null)?.stages;
  if (Array.isArray(stages)) for (const [i, stage] of stages.entries()) requireStage(stage, i);
  const parsed = schema.safeParse(options);
  if (parsed.success) {
    if (typeof parsed.data.stages === 'string') stagesNamed(parsed.data.stages);
    return parsed.data;
  }
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw new UsageError(`unknown training option "${key}"${suggestion(key, Object.keys(schema.shape))}`);
  }
  const [key, ...within] = issue.path;
  if (key === undefined)
    throw new UsageError(`training options: ${issue.message}; expected an object such as {"model": "resnet20", ...}`);
  const given = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
    options,
  );
  const place =
    within.length > 0 ? `, ${typeof within[0] === 'number' ? `value ${within[0] + 1}` : String(within[0])}` : '';
  const subject = `training option ${optionName(String(key))} ("${String(key)}")${place}`;
  if (given === undefined) throw new UsageError(`${subject} is missing; expected ${expectation(issue.path)}`);
  throw new UsageError(`${subject}: got ${JSON.stringify(given)}, expected ${expectation(issue.path)}`);
}

/** @throws UsageError naming the stage and its option that is wrong */
function requireStage(stage: unknown, i: number): void {
  const issue = stageOptionsSchema.safeParse(stage).error?.issues[0];
  if (!issue) return;
  const place = `training option --stages, stage ${i + 1}`;
  if (issue.code === 'unrecognized_keys')
    throw new UsageError(
      `${place}: unknown option "${issue.keys[0]}"${suggestion(issue.keys[0] ?? '', Object.keys(stageOptionsSchema.shape))}`,
    );
  const [key] = issue.path;
  const expected =
    key === undefined
      ? 'an object such as {"binary": "activations"}'
      : expectation(issue.path, stageOptionsSchema.shape);
  const given = key === undefined ? stage : (stage as Record<PropertyKey, unknown>)[key];
  throw new UsageError(
    `${place}${key === undefined ? '' : ` ("${String(key)}")`}: got ${JSON.stringify(given)}, expected ${expected}`,
  );
}

interface Described {
  readonly anyOf?: readonly Described[];
  readonly propertyNames?: Described;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Described;
}

/** What the schema takes at a path, in words: `a number above 0, at most 64`. */
function expectation(
  path: readonly PropertyKey[],
  shape: Readonly<Record<PropertyKey, z.ZodType>> = schema.shape,
): string {
  const [key, ...within] = path;
  const whole = z.toJSONSchema(shape[key!]!, { io: 'input' }) as Described;
  return inWords(within.length > 0 && whole.items ? whole.items : whole);
}

function inWords(of: Described): string {
  if (of.anyOf) return of.anyOf.map(inWords).join(' or ');
  if (of.propertyNames?.enum) return `numbers of at least 0 by any of ${of.propertyNames.enum.join(', ')}`;
  if (of.enum) return of.enum.map((value) => `"${value}"`).join(' or ');
  if (of.type === 'array') return `a list of ${of.minItems} to ${of.maxItems} values, each ${inWords(of.items ?? {})}`;
  const kinds: Record<string, string> = {
    integer: 'a whole number',
    number: 'a number',
    string: 'a text',
    boolean: 'true or false',
  };
  const bounds = [
    of.exclusiveMinimum === undefined
      ? of.minimum === undefined
        ? ''
        : `of at least ${of.minimum}`
      : `above ${of.exclusiveMinimum}`,
    of.exclusiveMaximum === undefined
      ? of.maximum === undefined || of.maximum === Number.MAX_SAFE_INTEGER
        ? ''
        : `at most ${of.maximum}`
      : `below ${of.exclusiveMaximum}`,
  ].filter(Boolean);
  return `${kinds[of.type ?? ''] ?? 'an object of texts by layer'}${bounds.length > 0 ? ` ${bounds.join(', ')}` : ''}`;
}

/**
 * The optimiser the run uses: the method's, with the numbers that the config names; or another one, which keeps what both have.
 *
 * @param method of the run's network
 * @throws UsageError for a number that the rule does not have
 */
export function optimizerOf(config: TrainConfig, { defaults }: Pick<Method, 'defaults'>): Optimizer {
  if (config.effective) return optimizerFrom(config.effective.defaults.optimizer);
  const { optimizer, rate, momentum, nesterov, weightDecay } = config;
  return changedRule(defaults.optimizer, optimizer, { rate, momentum, nesterov, weightDecay });
}

/** @param method of the run's network */
export function scheduleOf(config: TrainConfig, { defaults }: Pick<Method, 'defaults'>): RateSchedule {
  if (config.effective) return scheduleFrom(config.effective.defaults.rate);
  const schedule = config.schedule ? namedSchedules[config.schedule] : defaults.rate;
  return config.warmUpEpochs ? warmUp(config.warmUpEpochs, schedule) : schedule;
}
