import * as z from 'zod';
import { FormatError, UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { readWhole } from '../data/files.ts';
import type { Method } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { modelNamed } from '../models/table.ts';
import type { AnyTask } from '../tasks/table.ts';
import type { House } from '../train/plugin.ts';
import { taskOf, tellsClasses } from '../train/purpose.ts';

/** Training options of every run, or of one entry; checked again, with the method's defaults, when the run is made. */
const training = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.number()), z.record(z.string(), z.unknown())]),
);

const entry = z.strictObject({
  method: z.string(),
  /** Name of the row; needed when a method stands in the plan more than once. */
  label: z
    .string()
    .regex(/^[\w.+-]+$/, 'a label may hold letters, digits and . _ + - only')
    .optional(),
  /** Options that differ from the plan's. */
  training: training.default({}),
  /** Learn from the plan's float run: default where the method has a trained teacher, optional or not. */
  teacher: z.boolean().optional(),
  /** Start from the float run's weights. */
  init: z.boolean().optional(),
});

const model = z.strictObject({ model: z.string(), width: z.number().positive().max(64).default(1) });

const schema = z.strictObject({
  title: z.string().min(1),
  budget: z.union([z.strictObject({ epochs: z.int().positive() }), z.strictObject({ minutes: z.number().positive() })]),
  models: z.array(z.union([z.string(), model])).min(1),
  /** Method names, entries with options of their own, or `1/1`, `1/32`, ...: every method of these bits of weights and activations. */
  methods: z.array(z.union([z.string(), entry])).min(1),
  data: z.array(z.string()).min(1),
  seeds: z.array(z.int().min(0)).min(1),
  /** The best rows by mean accuracy over `seeds` are run with these seeds too. */
  again: z.strictObject({ best: z.int().positive(), seeds: z.array(z.int().min(0)).min(1) }).optional(),
  training: training.default({}),
  /** Labels of rows whose first run is looked at more closely, and how many test images that takes. */
  analyses: z
    .strictObject({
      robustness: z.array(z.string()).default([]),
      sensitivity: z.array(z.string()).default([]),
      views: z.array(z.string()).default([]),
      images: z.int().positive().default(500),
    })
    .prefault({}),
});

export type PlanEntry = z.infer<typeof entry>;
export type PlanModel = z.infer<typeof model>;

export interface Plan extends Omit<z.infer<typeof schema>, 'methods' | 'models'> {
  readonly methods: readonly (PlanEntry & { readonly label: string })[];
  readonly models: readonly PlanModel[];
  /** What its names may mean beside Signum's tables. */
  readonly own: House;
}

const bitsPattern = /^(\d+)\/(\d+)$/;

/** `1/32` stands for all methods of these bits, in the table's order. */
function methodsOfBits(selector: string, known: readonly Method[]): string[] {
  const [, weight, activation] = bitsPattern.exec(selector) ?? [];
  const found = known.filter(({ bits }) => bits.weight === Number(weight) && bits.activation === Number(activation));
  if (found.length > 0) return found.map(({ id }) => id);
  const bitsOf = [...new Set(known.map(({ bits }) => `${bits.weight}/${bits.activation}`))];
  throw new UsageError(`plan: no method has ${selector} bits of weights/activations; there are ${bitsOf.join(', ')}`);
}

/** Selectors expanded; a method named by itself takes its own place instead of the selector's. */
function expandedMethods(listed: z.infer<typeof schema>['methods'], own: readonly Method[]): Plan['methods'] {
  const named = listed.flatMap((item) => {
    if (typeof item !== 'string') return [item.label ? '' : item.method];
    return bitsPattern.test(item) ? [] : [item];
  });
  const plain = (method: string): PlanEntry => ({ method, training: {} });
  const entries = listed.flatMap((item) => {
    if (typeof item !== 'string') return [item];
    return bitsPattern.test(item)
      ? methodsOfBits(item, [...methods, ...own])
          .filter((id) => !named.includes(id))
          .map(plain)
      : [plain(item)];
  });
  return entries.map((item) => ({ ...item, label: item.label ?? methodNamed(item.method, undefined, own).id }));
}

function refuseTwice(values: readonly string[], what: string, cure: string): void {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw new UsageError(`plan: ${what} ${twice} stands there twice; ${cure}`);
}

/** What all runs of a plan are for: its first figure ranks them. */
export const taskOfPlan = ({ training: { task }, own }: Pick<Plan, 'training' | 'own'>): AnyTask =>
  taskOf({ task: task === undefined ? undefined : String(task) }, own);

/** @param own looked at first for names @throws UsageError naming the first thing that is wrong */
export function parsePlan(given: unknown, own: House = {}): Plan {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`plan: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}; see docs/compare.md`);
  }
  const models = parsed.data.models.map((item) => (typeof item === 'string' ? { model: item, width: 1 } : item));
  for (const item of models) modelNamed(item.model, own.models);
  const plan = { ...parsed.data, models, methods: expandedMethods(parsed.data.methods, own.methods ?? []), own };
  refuseTwice(
    plan.methods.map(({ label }) => label),
    'method',
    'give one of them a "label"',
  );
  refuseTwice(
    models.map(({ model: id, width }) => `${id} of width ${width}`),
    'model',
    'drop one',
  );
  const labels = new Set(plan.methods.map(({ label }) => label));
  const { robustness, sensitivity, views } = plan.analyses;
  const taskIn = parsed.data.methods.find((item) => typeof item !== 'string' && 'task' in item.training);
  if (taskIn !== undefined)
    throw new UsageError(
      "plan: a method has a task of its own; a comparison is of one, which stands in the plan's training",
    );
  const task = taskOfPlan(plan);
  if (!tellsClasses(task) && robustness.length + sensitivity.length + views.length > 0)
    throw new UsageError(
      `plan: analyses are of networks that tell classes of images apart, and task "${task.id}" has none; leave them out`,
    );
  const unknown = [...robustness, ...sensitivity, ...views].find((label) => !labels.has(label));
  if (unknown !== undefined)
    throw new UsageError(`plan: analyses name "${unknown}", which is no row${suggestion(unknown, [...labels])}`);
  refuseTwice([...plan.seeds, ...(plan.again?.seeds ?? [])].map(String), 'seed', 'drop one');
  return plan;
}

/** @throws FormatError when the file is not JSON, UsageError when it is no plan */
export function readPlan(file: string, own: House = {}): Plan {
  const text = readWhole(file).toString();
  try {
    return parsePlan(JSON.parse(text), own);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FormatError(`${file} is not JSON: ${error.message}`);
  }
}
