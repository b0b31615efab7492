import * as z from 'zod';
import { binaryParts } from '../binarize/stages.ts';
import type { Structure } from '../methods/method.ts';
import type { StoredRule } from '../optim/rules.ts';
import type { StoredSchedule } from '../optim/schedules.ts';
import { stageOptionsSchema } from './stage-options.ts';

/** A structure as it was stored; a field that is not there has its first meaning. */
export const structureSchema = z.looseObject({
  order: z.enum(['conv-bn', 'bn-conv']),
  shortcut: z.string(),
  activation: z.string(),
}) as unknown as z.ZodType<Structure, Structure>;

/** An update rule with all its numbers, such as `{"id": "sgd", "rate": 0.1, "momentum": 0.9}`. */
export const ruleSchema = z
  .object({ id: z.string(), rate: z.number().positive() })
  .catchall(z.union([z.number(), z.boolean()])) as unknown as z.ZodType<StoredRule, StoredRule>;

/** A rate schedule with all its numbers, such as `{"id": "step", "milestones": [0.5, 0.75], "factor": 0.1}`. */
export const scheduleSchema: z.ZodType<StoredSchedule, StoredSchedule> = z.lazy(() =>
  z.discriminatedUnion('id', [
    z.strictObject({ id: z.enum(['constant', 'cosine', 'linear']) }),
    z.strictObject({ id: z.literal('polynomial'), power: z.number() }),
    z.strictObject({ id: z.literal('step'), milestones: z.array(z.number()), factor: z.number() }),
    z.strictObject({ id: z.literal('exponential'), end: z.number() }),
    z.strictObject({ id: z.literal('repeated'), times: z.number(), of: scheduleSchema }),
    z.strictObject({ id: z.literal('warm-up'), epochs: z.number(), of: scheduleSchema }),
  ]),
);

const defaultsSchema = z.looseObject({
  optimizer: ruleSchema,
  rate: scheduleSchema,
  loss: z.enum(['cross-entropy', 'squared-hinge']),
  clipLatent: z.boolean(),
});

/** A stage of a run: every value that it trains with. */
const stageSchema = z.strictObject({
  name: z.string(),
  epochs: z.int().positive(),
  binary: z.enum(binaryParts),
  /** `run`: that of the run's options, where there is one. */
  teacher: z.enum(['run', 'previous', 'none']),
  /** Of the method in this stage, with the options folded in. */
  defaults: defaultsSchema,
  /** What an option of the run says of this stage alone. */
  options: stageOptionsSchema.omit({ binary: true, name: true, epochs: true }),
});

export type StoredStage = z.infer<typeof stageSchema>;

/**
 * What a run was made with where its options say nothing: options and these together are every value that it used, whatever methods and their
 * defaults are later.
 */
export const effectiveSchema = z.strictObject({
  /** Of Signum, and its commit where it ran in a clone. */
  version: z.string(),
  commit: z.string().optional(),
  revision: z.int().positive(),
  structure: structureSchema,
  /** Of the method, with the options folded in. A field that is not there has its first meaning. */
  defaults: defaultsSchema,
  /** The trainings that it is made of; not there: it is one. */
  stages: z.array(stageSchema).min(1).optional(),
  /** Of the float network that learns along, where one does. */
  companion: z.strictObject({ revision: z.int().positive(), structure: structureSchema }).optional(),
  /** What it is trained for, and what its network ends with; not there: classification, by the classifier. */
  task: z
    .strictObject({
      id: z.string(),
      head: z.strictObject({ id: z.string(), settings: z.record(z.string(), z.unknown()) }),
    })
    .optional(),
  /** SHA-256 of the images; runs of version 0.1 do not know. */
  digest: z.string().optional(),
  /** Plugins that it has values of: a package's name, or a path from the run's folder, and SHA-256 of the entry's bytes. */
  plugins: z
    .array(z.strictObject({ specifier: z.string().min(1), sha256: z.string() }))
    .min(1)
    .optional(),
});

export type Effective = z.infer<typeof effectiveSchema>;
