import { UsageError } from '../core/errors.ts';
import { type Distillation, distilled } from '../methods/distilled.ts';
import type { Method } from '../methods/method.ts';
import type { TrainConfig } from './config.ts';

const [usualShare, usualTemperature] = [0.5, 4];

/**
 * How a run learns from its teacher, beside what its method says; null where the method's own way counts. A method that has none learns
 * from any teacher it is given.
 *
 * @throws UsageError for a share without a teacher, or a temperature without a share
 */
export function distillationOf({ teacher, distill, temperature }: TrainConfig, method: Method): Distillation | null {
  if (distill !== undefined && teacher === undefined)
    throw new UsageError(
      `--distill ${distill}: nobody to learn from; train a float network (\`signum train --method float ...\`) and pass --teacher <its run>`,
    );
  if (distill === undefined && (teacher === undefined || method.teacher)) {
    if (temperature !== undefined)
      throw new UsageError(
        `--temperature ${temperature}: it is of --distill; ${teacher === undefined ? 'pass --teacher <run> and --distill 0.5 too' : `method "${method.id}" learns from its teacher in its own way: pass --distill 0.5 to replace it`}`,
      );
    return null;
  }
  return { share: distill ?? usualShare, temperature: temperature ?? usualTemperature };
}

/** A run's method as it is taught: by the run's distillation, where there is one, else in its own way. */
export function taught(config: TrainConfig, method: Method): Method {
  const distillation = distillationOf(config, method);
  return distillation ? distilled(method, distillation) : method;
}

/** One line for people, where the method's own teacher gives way. */
export function distillationNote(config: TrainConfig, method: Method): string | null {
  const distillation = distillationOf(config, method);
  if (!distillation || !method.teacher) return null;
  const own = method.teacher === 'joint' ? 'a teacher that learns along' : 'its own way to learn from a teacher';
  return `${method.title} has ${own}; --distill takes its place: ${distillation.share} of the loss is what the teacher says at temperature ${distillation.temperature}`;
}
