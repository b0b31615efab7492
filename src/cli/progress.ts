import { Presets, SingleBar } from 'cli-progress';
import { classification } from '../tasks/classification.ts';
import { type FigureName, figureText } from '../tasks/figures.ts';
import type { RunEvents } from '../train/run-events.ts';
import { type EpochMetrics, figureIn } from '../train/run-folder.ts';
import { percent, tell, tellLine } from './output.ts';

/** The first figure of a run's task in a line of its log, as far as that has it. */
function figuresText(line: EpochMetrics, first: FigureName): string {
  const of = (images: 'train' | 'validation' | 'test') => {
    const value = figureIn(line, images, first.name);
    return value === undefined ? '' : `  ${images} ${figureText(first, value)}`;
  };
  return `${of('train')}${of('validation')}${of('test')}`;
}

function epochLine(m: EpochMetrics, epochs: number, first: FigureName): string {
  const flips =
    m.layers.length > 0
      ? `  flips ${percent(m.layers.reduce((sum, l) => sum + l.signFlips, 0) / m.layers.length)}`
      : '';
  return `epoch ${String(m.epoch + 1).padStart(String(epochs).length)}/${epochs}${m.stage === undefined ? '' : ` [${m.stage}]`}  loss ${m.trainLoss.toFixed(4)}${figuresText(m, first)}  ${m.imagesPerSecond.toFixed(0)} img/s${flips}`;
}

/**
 * A bar with loss, the first figure where training counts it, img/s and ETA on a terminal; one line per epoch everywhere.
 *
 * @param first figure of the run's task
 */
export function progressEvents(epochs: number, first: FigureName = classification.figures[0]): RunEvents {
  if (!process.stderr.isTTY)
    return { onNote: tellLine, onEpoch: (metrics) => tell(`${epochLine(metrics, epochs, first)}\n`) };
  let bar: SingleBar | null = null;
  const format = 'epoch {epoch} {bar} {value}/{total}  loss {loss}{figure}  {speed} img/s  ETA {eta_formatted}';
  return {
    onNote: tellLine,
    onStep: ({ epoch, batch, batches, loss, accuracy, imagesPerSecond }) => {
      const fields = {
        epoch: epoch + 1,
        loss: loss.toFixed(4),
        figure: accuracy === undefined ? '' : `  ${first.name} ${figureText(first, accuracy)}`,
        speed: imagesPerSecond.toFixed(0),
      };
      if (bar === null) {
        bar = new SingleBar(
          { format, hideCursor: true, clearOnComplete: true, barsize: 24, stream: process.stderr },
          Presets.shades_classic,
        );
        bar.start(batches, batch, fields);
      } else bar.update(batch, fields);
    },
    onEpoch: (metrics) => {
      bar?.stop();
      bar = null;
      tell(`${epochLine(metrics, epochs, first)}\n`);
    },
  };
}
