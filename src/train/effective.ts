import type { DataSet } from '../data/dataset.ts';
import { digestOf } from '../data/digest.ts';
import { asFirst } from '../methods/earlier.ts';
import type { Method, TrainingDefaults } from '../methods/method.ts';
import { methodNamed, methodOn } from '../methods/table.ts';
import { withTricks } from '../methods/tricks.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import { optimizerFrom, ruleOf } from '../optim/rules.ts';
import { scheduleFrom } from '../optim/schedules.ts';
import { optimizerOf, scheduleOf, type TrainConfig, tricksOf } from './config.ts';
import type { Effective } from './effective-schema.ts';
import { firstOptimizerOf } from './first-optimizer.ts';
import { ownCommit, ownVersion } from './version.ts';

/** A method's defaults as they were stored. */
export const defaultsFrom = ({ optimizer, rate, ...rest }: Effective['defaults']): TrainingDefaults =>
  ({ ...rest, optimizer: optimizerFrom(optimizer), rate: scheduleFrom(rate) }) as unknown as TrainingDefaults;

/** What a run's method says where its options do not: as it was stored, else as it is now. */
export const defaultsOf = ({ effective, method, model }: TrainConfig): TrainingDefaults =>
  effective ? defaultsFrom(effective.defaults) : methodOn(model, method).defaults;

/** Defaults with a run's options folded in, as they are stored. */
function folded(config: TrainConfig, method: Pick<Method, 'defaults'>): Effective['defaults'] {
  const { defaults } = method;
  return {
    ...defaults,
    optimizer: ruleOf(optimizerOf(config, method)),
    rate: scheduleOf(config, method).stored,
    loss: config.loss ?? defaults.loss,
    clipLatent: config.clipLatent ?? defaults.clipLatent,
  };
}

const formOf = ({ revision, structure }: NetworkConfig) => ({ revision: revision!, structure: structure! });

/**
 * What a run is made with: what it has stored, else what its network and its options have now.
 *
 * @param companion that learns along
 * @param data whose digest goes with it; a run that has stored its own is not asked for
 */
export function effectiveOf(
  config: TrainConfig,
  { config: built, method }: Network,
  companion?: Network,
  data?: DataSet,
): Effective {
  if (config.effective) return config.effective;
  const commit = ownCommit();
  return {
    version: ownVersion,
    ...(commit ? { commit } : {}),
    ...formOf(built),
    defaults: folded(config, method),
    ...(companion ? { companion: formOf(companion.config) } : {}),
    ...(data ? { digest: digestOf(data) } : {}),
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
