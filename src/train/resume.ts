import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../core/errors.ts';
import { methodOn } from '../methods/table.ts';
import type { Own } from '../models/table.ts';
import { clocksOf } from './clock.ts';
import { optimizerOf, optionName, parseConfig, scheduleOf, type TrainConfig, type TrainOptions } from './config.ts';
import { defaultsOf } from './effective.ts';
import { prolongedStages, stageAt, stagesOf } from './stages.ts';

/** What may change: how long a run goes on and what is kept of it, where the runs lie that it learns from, and how
 * many broken pictures it puts up with. */
const changeable: readonly string[] = ['epochs', 'patience', 'keep', 'teacher', 'init', 'allowBroken'];

/**
 * The config a run continues with.
 *
 * @param stored of the run
 * @param given options that are asked for now; those left out stay as they are
 * @param path of the run
 * @param done epochs trained so far: stages that are over stay what they were
 * @throws UsageError for options that differ where they may not, and for fewer epochs, with the way to do it
 */
export function resumedConfig(
  stored: TrainConfig,
  given: Partial<TrainOptions>,
  path: string,
  done: number,
): TrainConfig {
  const config = parseConfig({ ...stored, ...given });
  const key = (Object.keys(config) as (keyof TrainConfig)[]).find(
    (name) => !changeable.includes(name) && !isDeepStrictEqual(config[name], stored[name]),
  );
  if (key) {
    const was = stored[key] === undefined ? 'was begun without it' : `was begun with ${JSON.stringify(stored[key])}`;
    throw new UsageError(
      `${optionName(key)} ${JSON.stringify(config[key])}: run ${path} ${was}, and continues as it began: leave the option out; or begin another run, with another --name, and --init ${path} to start from these weights`,
    );
  }
  if (config.epochs < stored.epochs)
    throw new UsageError(
      `--epochs ${config.epochs}: run ${path} was begun for ${stored.epochs}, and can only be prolonged; Ctrl-C ends it earlier, its checkpoint can be packed at any time`,
    );
  const { effective, epochs } = config;
  if (!effective?.stages || epochs === stored.epochs) return config;
  return { ...config, effective: { ...effective, stages: prolongedStages(effective.stages, epochs, done) } };
}

/** The stage that an epoch is in, and the learning rate there. */
function placeOf(config: TrainConfig, epoch: number, own: Own) {
  const method = {
    ...methodOn(config.model, config.method, config.effective?.revision, own.methods),
    defaults: defaultsOf(config, own),
  };
  const stage = stageAt(stagesOf(config, method), epoch);
  const wholeEpochs = clocksOf(stage.config, stage.method).rate === 'epoch';
  const within = epoch - stage.first;
  const progress = Math.min(1, within / stage.epochs);
  const factor = scheduleOf(stage.config, stage.method)({ progress, epoch: within, wholeEpochs });
  return { stage, progress, rate: optimizerOf(stage.config, stage.method).rate * factor };
}

/**
 * What prolonging means for the schedules; null where the epochs stay.
 *
 * @param done epochs trained so far
 * @param own methods that the run's may be of
 */
export function prolongedText(stored: TrainConfig, config: TrainConfig, done: number, own: Own = {}): string | null {
  if (config.epochs === stored.epochs) return null;
  const [was, is] = [placeOf(stored, done, own), placeOf(config, done, own)];
  const share = ({ progress }: typeof is) => `${(100 * progress).toFixed(0)} %`;
  const way = is.stage.name === undefined ? 'the method' : `stage ${is.stage.name} (now ${is.stage.epochs} epochs)`;
  const over = is.stage.name === undefined ? 'all of them' : 'the stages that are not over';
  return `prolonged from ${stored.epochs} to ${config.epochs} epochs: schedules stretch over ${over}, so that after epoch ${done} the learning rate goes on at ${is.rate.toPrecision(3)} instead of ${was.rate.toPrecision(3)}, and ${way} at ${share(is)} of its way instead of ${share(was)}`;
}
