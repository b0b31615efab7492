import type { DataSet, Split } from '../data/dataset.ts';
import { digestOf } from '../data/digest.ts';
import { asFirst } from '../methods/earlier.ts';
import type { TrainingDefaults } from '../methods/method.ts';
import { methodNamed, methodOn } from '../methods/table.ts';
import { withTricks } from '../methods/tricks.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import type { Own } from '../models/table.ts';
import { ruleOf } from '../optim/rules.ts';
import type { Result } from '../tasks/task.ts';
import { type TrainConfig, tricksOf } from './config.ts';
import type { Effective, StoredStage } from './effective-schema.ts';
import { firstOptimizerOf } from './first-optimizer.ts';
import type { Purpose } from './purpose.ts';
import { hasStages, type StagePlan, stagesOf } from './stages.ts';
import { defaultsFrom, folded } from './stored-defaults.ts';
import { ownCommit, ownVersion } from './version.ts';

/** What a run's method says where its options do not: as it was stored, else as it is now. */
export const defaultsOf = ({ effective, method, model }: TrainConfig, own: Own = {}): TrainingDefaults =>
  effective ? defaultsFrom(effective.defaults) : methodOn(model, method, undefined, own.methods).defaults;

const formOf = ({ revision, structure }: NetworkConfig) => ({ revision: revision!, structure: structure! });

/** A stage with every value said. */
const storedStage = ({
  name,
  epochs,
  binary,
  teacher,
  options,
  distillation,
  config,
  method,
}: StagePlan): StoredStage => ({
  name: name!,
  epochs,
  binary: binary!,
  teacher,
  defaults: folded(config, method),
  options: {
    ...options,
    ...(distillation ? { distill: distillation.share, temperature: distillation.temperature } : {}),
  },
});

const storedTask = ({ task, head, place }: Purpose<Result>): Effective['task'] => ({
  id: task.id,
  head: { id: head.id, settings: place.settings },
});

/**
 * What a run is made with: what it has stored, else what its network and its options have now.
 *
 * @param companion that learns along
 * @param data whose digest goes with it; a run that has stored its own is not asked for
 * @param plugins that it has values of
 * @param purpose what it is trained for
 */
export function effectiveOf(
  config: TrainConfig,
  { config: built, method }: Network,
  companion?: Network,
  data?: DataSet<Split<object>>,
  plugins?: Effective['plugins'],
  purpose?: Purpose<Result>,
): Effective {
  if (config.effective) return config.effective;
  const stages = stagesOf(config, method);
  const commit = ownCommit();
  return {
    version: ownVersion,
    ...(commit ? { commit } : {}),
    ...formOf(built),
    defaults: folded(config, method),
    ...(hasStages(stages) ? { stages: stages.map(storedStage) } : {}),
    ...(companion ? { companion: formOf(companion.config) } : {}),
    ...(purpose ? { task: storedTask(purpose) } : {}),
    ...(data ? { digest: digestOf(data) } : {}),
    ...(plugins ? { plugins } : {}),
  };
}

/** The config of a run folder: one that does not say what it was made with is of version 0.1, and of the first form of its method. */
export function withFirstValues(config: TrainConfig): TrainConfig {
  if (config.effective) return config;
  const first = asFirst(methodNamed(config.method, 1));
  const tricks = tricksOf(config);
  const optimizer = firstOptimizerOf(config, first.defaults.optimizer);
  const effective: Effective = {
    version: '0.1.0',
    revision: 1,
    structure: (tricks ? withTricks(first, tricks) : first).structure,
    defaults: { ...folded(config, { defaults: { ...first.defaults, optimizer } }), optimizer: ruleOf(optimizer) },
    ...(first.teacher === 'joint'
      ? { companion: { revision: 1, structure: asFirst(methodNamed('float', 1)).structure } }
      : {}),
  };
  return { ...config, effective };
}
