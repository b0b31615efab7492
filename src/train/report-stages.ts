import { type Html, table } from '../report/index.ts';
import type { TrainConfig } from './config.ts';
import type { StoredStage } from './effective-schema.ts';

/** `sgd, rate 0.1, momentum 0.9` */
const ruleText = ({ id, ...numbers }: StoredStage['defaults']['optimizer']): string =>
  [id, ...Object.entries(numbers).map(([name, value]) => `${name} ${value}`)].join(', ');

function teacherText({ teacher, options }: StoredStage, { teacher: ofRun }: TrainConfig): string {
  if (teacher === 'previous') return 'the stage before';
  return teacher === 'none' ? '–' : (options.teacher ?? ofRun ?? '–');
}

/** What each stage of a run trained with; null where the run is one training. */
export function stagesTable(config: TrainConfig): Html | null {
  const { effective } = config;
  if (!effective?.stages) return null;
  let first = 1;
  const rows = effective.stages.map((stage) => {
    const { name, epochs, binary, defaults } = stage;
    const last = first + epochs - 1;
    const row = [
      name,
      `${first} to ${last}`,
      binary,
      ruleText(defaults.optimizer),
      defaults.rate.id,
      defaults.loss,
      teacherText(stage, config),
    ];
    first += epochs;
    return row;
  });
  return table(['stage', 'epochs', 'binary', 'update rule', 'schedule', 'loss', 'teacher'], rows);
}
