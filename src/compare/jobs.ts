import { join } from 'node:path';
import type { Method } from '../methods/method.ts';
import { methodNamed, methodOn } from '../methods/table.ts';
import { parseConfig, type TrainConfig, type TrainOptions } from '../train/config.ts';
import { tellsClasses } from '../train/purpose.ts';
import { withUsualAugmentation } from '../train/usual-augmentation.ts';
import { type Plan, type PlanEntry, type PlanModel, taskOfPlan } from './plan.ts';

/** One training of a plan. */
export interface Job {
  /** Folder name under the comparison's `runs/`. */
  readonly id: string;
  /** Same for all seeds of one row. */
  readonly row: string;
  readonly label: string;
  readonly model: PlanModel;
  readonly data: string;
  readonly seed: number;
  readonly config: TrainConfig;
  /** Job whose trained network this one learns from or starts from. */
  readonly needs: string | null;
}

/** Row of a float network that only serves as a teacher or a start. */
export const floatLabel = 'float';

const fileName = (text: string) => text.replaceAll(/[^\w.+-]+/g, '_');

const wantsTeacher = ({ teacher }: PlanEntry, method: Method, plan: Plan): boolean =>
  method.teacher === 'trained' ||
  (method.teacher === 'optional' && teacher !== false && tellsClasses(taskOfPlan(plan)));

/** From the weights of the comparison's float run, where the plan or the method says so. */
const startsFloat = ({ init }: PlanEntry, { start }: Method): boolean => init ?? start === 'float';

/** Float rows come first and are there whenever another row needs one. */
function withFloat(plan: Plan): Plan['methods'] {
  const needed = plan.methods.some((item) => {
    const method = methodNamed(item.method, undefined, plan.own.methods);
    return startsFloat(item, method) || wantsTeacher(item, method, plan);
  });
  const [float] = plan.methods.filter(({ label }) => label === floatLabel);
  if (!float && !needed) return plan.methods;
  const others = plan.methods.filter(({ label }) => label !== floatLabel);
  return [float ?? { method: 'float', label: floatLabel, training: {} }, ...others];
}

/**
 * All trainings for some seeds, in the order they are run: seed by seed, so that a comparison that is cut short compares what it has.
 *
 * @param folder of the comparison: its runs lie below, by the name of their job
 * @param epochs for the budget in epochs
 */
export function jobsOf(plan: Plan, folder: string, seeds: readonly number[], epochs: number): Job[] {
  const jobs: Job[] = [];
  for (const seed of seeds)
    for (const data of plan.data)
      for (const model of plan.models)
        for (const item of withFloat(plan)) {
          const where = `${model.model}${model.width === 1 ? '' : `-x${model.width}`}-${fileName(data)}`;
          const idOf = (label: string) => `${where}-${label}-seed${seed}`;
          const method = methodOn(model.model, item.method, undefined, plan.own.methods);
          const float = join(folder, 'runs', idOf(floatLabel));
          const teacher = wantsTeacher(item, method, plan);
          const options = {
            batch: method.defaults.batch,
            ...plan.training,
            ...item.training,
            ...(teacher ? { teacher: float } : {}),
            ...(startsFloat(item, method) ? { init: float } : {}),
            model: model.model,
            width: model.width,
            method: item.method,
            data,
            epochs,
            seed,
          } as TrainOptions;
          const needs = teacher || startsFloat(item, method) ? idOf(floatLabel) : null;
          const { label } = item;
          jobs.push({
            id: idOf(label),
            row: `${where}-${label}`,
            label,
            model,
            data,
            seed,
            config: withUsualAugmentation(parseConfig(options), plan.own).config,
            needs,
          });
        }
  return jobs;
}

/** The jobs of each row, rows in the order of their first job. */
export function jobsByRow(jobs: readonly Job[]): Job[][] {
  const rows = new Map<string, Job[]>();
  for (const job of jobs) rows.set(job.row, [...(rows.get(job.row) ?? []), job]);
  return [...rows.values()];
}
