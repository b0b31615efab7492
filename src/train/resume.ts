import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../core/errors.ts';
import { clocksOf } from './clock.ts';
import { optimizerOf, optionName, parseConfig, scheduleOf, type TrainConfig, type TrainOptions } from './config.ts';
import { defaultsOf } from './effective.ts';

/** What may change: how long a run goes on and what is kept of it, where the runs lie that it learns from, and how
 * many broken pictures it puts up with. */
const changeable: readonly string[] = ['epochs', 'patience', 'keep', 'teacher', 'init', 'allowBroken'];

/**
 * The config a run continues with.
 *
 * @param stored of the run
 * @param given options that are asked for now; those left out stay as they are
 * @param path of the run
 * @throws UsageError for options that differ where they may not, and for fewer epochs, with the way to do it
 */
export function resumedConfig(stored: TrainConfig, given: Partial<TrainOptions>, path: string): TrainConfig {
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
  return config;
}

/**
 * What prolonging means for the schedules; null where the epochs stay.
 *
 * @param done epochs trained so far
 */
export function prolongedText(stored: TrainConfig, config: TrainConfig, done: number): string | null {
  if (config.epochs === stored.epochs) return null;
  const method = { defaults: defaultsOf(config) };
  const wholeEpochs = clocksOf(config, method).rate === 'epoch';
  const rate = ({ epochs }: TrainConfig) =>
    optimizerOf(config, method).rate *
    scheduleOf(config, method)({ progress: Math.min(1, done / epochs), epoch: done, wholeEpochs });
  return `prolonged from ${stored.epochs} to ${config.epochs} epochs: schedules stretch over all of them, so that after epoch ${done} the learning rate goes on at ${rate(config).toPrecision(3)} instead of ${rate(stored).toPrecision(3)}, and the method at ${((100 * done) / config.epochs).toFixed(0)} % of its way instead of ${Math.min(100, (100 * done) / stored.epochs).toFixed(0)} %`;
}
