import * as z from 'zod';
import { type BinaryPart, binaryParts } from '../binarize/stages.ts';
import { UsageError } from '../core/errors.ts';
import { parameterKinds } from '../core/parameter-kinds.ts';
import { suggestion } from '../core/suggest.ts';
import { decayChoices } from '../nn/decay.ts';
import { ruleIds } from '../optim/rules.ts';

/** Options of the optimiser, the rate and the loss: of a whole run, or of one of its stages. */
export const learningShape = {
  optimizer: z.enum(ruleIds).optional(),
  rate: z.number().positive().optional(),
  momentum: z.number().min(0).lt(1).optional(),
  nesterov: z.boolean().optional(),
  weightDecay: z.number().min(0).optional(),
  schedule: z.enum(['constant', 'cosine', 'linear', 'polynomial', 'step']).optional(),
  warmUpEpochs: z.number().min(0).optional(),
  /** When the method's schedule and the rate move, both. */
  clock: z.enum(['epoch', 'step']).optional(),
  decay: z.enum(decayChoices).optional(),
  /** Base rate and L2 decay by kind of parameter, in the place of the optimiser's. */
  rateOf: z.partialRecord(z.enum(parameterKinds), z.number().min(0)).optional(),
  decayOf: z.partialRecord(z.enum(parameterKinds), z.number().min(0)).optional(),
  loss: z.enum(['cross-entropy', 'squared-hinge']).optional(),
  clipLatent: z.boolean().optional(),
  /** Run of the trained network that is learned from; of a stage also `previous` or `none`. */
  teacher: z.string().optional(),
  /** Share of the loss that its teacher's answers are, in the place of the method's own way to learn from one. */
  distill: z.number().positive().max(1).optional(),
  temperature: z.number().positive().max(1000).optional(),
};

/** A stage of a run, as an option or a recipe gives it: what it leaves out is as in the run. */
export const stageOptionsSchema = z.strictObject({
  binary: z.enum(binaryParts),
  /** Default what is binary in it. */
  name: z.string().min(1).max(60).optional(),
  /** In proportion to those of the other stages; default 1. */
  epochs: z.number().positive().optional(),
  labelSmoothing: z.number().min(0).lt(1).optional(),
  ...learningShape,
});

/** Options of one stage. */
export type StageOptions = z.infer<typeof stageOptionsSchema>;

/** In the place of a teacher's run: what the stage before has left. */
export const previousStage = 'previous';
const nobody = 'none';

/** Whether a stage's teacher is no run. */
export const isPlace = (teacher: string | undefined): teacher is typeof previousStage | typeof nobody =>
  teacher === previousStage || teacher === nobody;

/** Plans that go by a name. */
export const namedStages: Readonly<Record<string, readonly StageOptions[]>> = {
  'activations-first': [{ binary: 'activations' }, { binary: 'both' }],
  'weights-first': [{ binary: 'weights' }, { binary: 'both' }],
};

const isPart = (text: string): text is BinaryPart => (binaryParts as readonly string[]).includes(text);

/**
 * Stages by the name of a plan, or by what is binary in each: `activations,both`.
 *
 * @throws UsageError naming the nearest plan or part
 */
export function stagesNamed(text: string): readonly StageOptions[] {
  if (Object.hasOwn(namedStages, text)) return namedStages[text]!;
  return text.split(',').map((part) => {
    const name = part.trim();
    if (isPart(name)) return { binary: name };
    const known = [...Object.keys(namedStages), ...binaryParts];
    throw new UsageError(
      `--stages "${text}": "${name}" is no stage${suggestion(name, known)}; expected ${Object.keys(namedStages).join(', ')}, a list of ${binaryParts.join(', ')} such as activations,both, or a JSON file with a list of stages`,
    );
  });
}

/** Epochs of a run that says nothing else: those of its stages, where each says its own; undefined otherwise. */
export function epochsOfStages(stages: unknown): number | undefined {
  if (!Array.isArray(stages)) return undefined;
  const each = stages.map(({ epochs }: StageOptions) => epochs);
  return each.every((epochs) => epochs !== undefined) ? Math.round(each.reduce((a, b) => a + b, 0)) : undefined;
}
