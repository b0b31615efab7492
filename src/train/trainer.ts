import { arithmeticChange } from '../backend/arithmetic.ts';
import { DivergenceError, InterruptError, UsageError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { sayOnce } from '../core/say-once.ts';
import { type Augmentation, type Batch, Batches } from '../data/batches.ts';
import { type DataSet, imagesOf, type Split, sampleOf } from '../data/dataset.ts';
import { type Loader, openLoader } from '../data/loader.ts';
import type { Method, Point } from '../methods/method.ts';
import type { Network } from '../models/network.ts';
import type { Optimizer, OptimizerState } from '../optim/optimizer.ts';
import type { RateSchedule } from '../optim/schedules.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { WeightAverage } from './average.ts';
import { type Best, bestFile, betterOf, hasStalled } from './best.ts';
import { epochSigns, type LoadedCheckpoint, type Progress, restore, saveCheckpoint } from './checkpoint.ts';
import { type Clocks, clocksOf, tickOf } from './clock.ts';
import { optimizerOf, scheduleOf, type TrainConfig } from './config.ts';
import { taught } from './distillation.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { fitLayers, isFitted } from './fit-layers.ts';
import { LayerObserver } from './layer-metrics.ts';
import { networkFor } from './network-for.ts';
import { reestimateNorms } from './reestimate-norms.ts';
import type { EpochMetrics, RunFolder } from './run-folder.ts';
import { TrainingStep } from './step.ts';
import { adopt, teacherFor, trainedNetwork } from './teacher.ts';
import { holdBack } from './validation.ts';

/** What a progress display hears. */
export interface TrainEvents {
  /** After each step. */
  onStep?: (state: {
    epoch: number;
    batch: number;
    batches: number;
    loss: number;
    accuracy: number;
    imagesPerSecond: number;
  }) => void;
  /** After each epoch, once its checkpoint and its line of the log are written. */
  onEpoch?: (metrics: EpochMetrics) => void;
  /** How the images differ from what a checkpoint or a teacher is for, before the first step. */
  onNote?: (line: string) => void;
  /** Asked between steps; true saves and stops. */
  shouldStop?: () => boolean;
}

/** What people see of a run. */
export type RunEvents = Pick<TrainEvents, 'onStep' | 'onEpoch' | 'onNote'>;

export interface TrainResult {
  readonly network: Network;
  readonly evaluation: Evaluation | null;
  /** False when stopped before the last epoch. */
  readonly finished: boolean;
  /** The best epoch, where the config asks for one. */
  readonly best: Best | null;
  /** `patience` ended the run before its last epoch. */
  readonly stoppedEarly: boolean;
}

/** Between the checkpoints at the end of each epoch, for epochs that take hours. */
const saveEveryMs = 5 * 60_000;

const breatheEveryMs = 50;

/** Only these fields cross to the loader's thread. */
const augmentationOf = ({ padCrop = 0, flip = false, resizedCrop, cutout, mixup }: TrainConfig): Augmentation => ({
  padCrop,
  flip,
  resizedCrop,
  cutout,
  mixup,
});

/** An overflow is worse than any number, and JSON has none for it. */
const finite = (loss: number): number => (Number.isFinite(loss) ? loss : Number.MAX_VALUE);

/** Trains one network on one data set, epoch by epoch, in a run folder. */
export class Trainer {
  readonly network: Network;
  private readonly config: TrainConfig;
  private readonly data: DataSet;
  private readonly folder: RunFolder;
  readonly optimizer: Optimizer;
  private readonly schedule: RateSchedule;
  private readonly clocks: Clocks;
  private readonly moments: OptimizerState = new Map();
  private readonly test: Batches;
  private readonly validation: Batches | null;
  private readonly trainSplit: Split;
  /** Places in the training split that are learned from. */
  private readonly kept: Uint32Array;
  private readonly observer: LayerObserver;
  private readonly update: TrainingStep;
  readonly teacher: Network | null;
  private readonly method: Method;
  private readonly average: WeightAverage | null;
  private progress: Progress;
  private lastSave = performance.now();
  private lastBreath = 0;

  constructor(config: TrainConfig, data: DataSet, folder: RunFolder) {
    this.config = config;
    this.data = data;
    this.folder = folder;
    if (config.resizedCrop && !('files' in data.train))
      throw new UsageError(
        `--resized-crop needs a folder of image files; ${data.name} comes decoded at ${data.shape[0]}x${data.shape[1]}: use --pad-crop`,
      );
    this.network = networkFor(config, data);
    const { method } = this.network;
    this.optimizer = optimizerOf(config, method);
    this.schedule = scheduleOf(config, method);
    this.clocks = clocksOf(config, method);
    const limit = config.limit ?? Number.POSITIVE_INFINITY;
    this.trainSplit = sampleOf(data.train, limit);
    const { kept, held } = holdBack(this.trainSplit.count, config.validation ?? 0, config.seed);
    this.kept = kept;
    this.validation = held.length > 0 ? new Batches(data, imagesOf(this.trainSplit, held), 256) : null;
    this.test = new Batches(data, sampleOf(data.test, limit), 256);
    if (config.init) adopt(this.network, trainedNetwork(config.init, '--init').network);
    this.method = taught(config, this.network.method);
    this.teacher = teacherFor(this.method, this.network, config.teacher, data, config.effective?.companion);
    this.update = new TrainingStep(this.network, this.teacher, this.optimizer, this.moments, config, this.method);
    this.observer = new LayerObserver(this.network);
    this.average = config.ema ? new WeightAverage(this.network, config.ema) : null;
    this.progress = {
      epoch: 0,
      batch: 0,
      step: 0,
      running: { loss: 0, hits: 0, images: 0, seconds: 0 },
      classes: [...data.classes],
      images: data.train.count,
      ...(data.order ? { order: data.order } : {}),
      mean: [...data.mean],
      std: [...data.std],
    };
  }

  /** Continues from a checkpoint of the same config: the weights will be those of an uninterrupted run. */
  resume(checkpoint: LoadedCheckpoint): void {
    restore(checkpoint, this.network, this.moments, this.companion);
    this.average?.restore(checkpoint.tensors);
    this.observer.restoreSigns(epochSigns(checkpoint));
    const change = arithmeticChange(checkpoint.arithmetic);
    if (change) sayOnce(change);
    this.observer.restoreGradients(checkpoint.gradients ?? {});
    const { epoch, batch, step, running, gradients, best } = checkpoint;
    this.progress = { ...this.progress, epoch, batch, step, running, gradients, best };
    this.folder.keepMetricsBefore(epoch);
  }

  /** A teacher that learns along is saved with the student. */
  get companion(): Network | undefined {
    return this.method.teacher === 'joint' && this.teacher ? this.teacher : undefined;
  }

  /** Writes a checkpoint, from which a run continues exactly. */
  save(name = 'checkpoint.safetensors'): void {
    this.lastSave = performance.now();
    saveCheckpoint(
      (file) => this.folder.write(name, file),
      this.network,
      this.moments,
      this.observer.signs,
      this.progress,
      this.companion,
      this.average?.tensors(),
    );
  }

  /** @throws DivergenceError when the loss is NaN or infinite; the last checkpoint stays */
  async run(events: TrainEvents = {}): Promise<TrainResult> {
    this.network.setTraining(true);
    const loader = openLoader(this.data, this.trainSplit, this.config.batch);
    try {
      return await this.runEpochs(loader, events);
    } finally {
      loader.close();
    }
  }

  private async runEpochs(loader: Loader, events: TrainEvents): Promise<TrainResult> {
    const { epochs, seed } = this.config;
    let evaluation: Evaluation | null = null;
    try {
      while (this.progress.epoch < epochs && !this.hasStalled) {
        const { epoch, batch } = this.progress;
        loader.begin({
          order: this.orderOf(epoch),
          first: batch,
          augmentation: augmentationOf(this.config),
          seed,
          epoch,
        });
        while (this.progress.batch < this.length) {
          if (this.folder.isLost) this.folder.requireHeld();
          const begin = performance.now();
          this.step(await this.nextOf(loader), begin, events);
          if (events.shouldStop?.()) {
            this.save();
            return this.result(null);
          }
          if (performance.now() - this.lastSave > saveEveryMs) this.save();
          await this.breathe();
        }
        evaluation = await this.finishEpoch(events);
      }
      if (evaluation && this.config.reestimateNorm && this.progress.epoch < epochs) {
        // `patience` ended it
        await this.reestimate();
        this.save();
        evaluation = await this.evaluateOn(this.test);
      }
      return this.result(evaluation ?? (await this.evaluateOn(this.test)));
    } catch (error) {
      // an evaluation was cut short: the checkpoint was saved before it
      if (error instanceof InterruptError) return this.result(null);
      throw error;
    }
  }

  private result(evaluation: Evaluation | null): TrainResult {
    const { best = null, epoch } = this.progress;
    // what was evaluated is what is handed out
    if (evaluation) this.average?.settle();
    const stoppedEarly = evaluation !== null && epoch < this.config.epochs;
    return { network: this.network, evaluation, finished: evaluation !== null, best, stoppedEarly };
  }

  /** Lets signals and timers in between two steps. */
  private async breathe(): Promise<void> {
    if (performance.now() - this.lastBreath < breatheEveryMs) return;
    await new Promise(setImmediate);
    this.lastBreath = performance.now();
  }

  private get hasStalled(): boolean {
    return hasStalled(this.config, this.progress.best, this.progress.epoch);
  }

  /** Steps per epoch. */
  private get length(): number {
    return Math.ceil(this.kept.length / this.config.batch);
  }

  /** The order of the images in an epoch, those held back left out. */
  private orderOf(epoch: number): Uint32Array {
    const { kept } = this;
    return new Random(this.config.seed)
      .fork(epoch)
      .permutation(kept.length)
      .map((place) => kept[place]!);
  }

  /** When the images are gone, what was learned from them is not. */
  private async nextOf(loader: Loader): Promise<Batch> {
    try {
      return await loader.next();
    } catch (error) {
      this.save();
      throw error;
    }
  }

  /** @param begin when the wait for the batch began, so that img/s counts it */
  private step({ images, labels, mixture, count }: Batch, begin: number, events: TrainEvents): void {
    const { epoch, batch, step, running } = this.progress;
    // none of its files could be decoded
    if (count === 0) {
      this.progress = { ...this.progress, batch: batch + 1 };
      return;
    }
    const now = this.progress.epoch + batch / this.length;
    const tick = this.pointAt(tickOf(this.clocks.schedule, now));
    this.network.setPoint(tick);
    const point = { ...tick, rate: this.rateAt(now), step: step + 1 };
    const input = new Tensor(images, [count, ...this.data.shape]);
    const { fit } = this.network.method;
    if (fit && point.progress >= fit.at && !isFitted(this.network)) fitLayers(this.network, fit, input);
    const { loss, hits } = this.update.run(input, { labels, ...(mixture ? { mixture } : {}) }, point, {
      onLoss: (value) => {
        if (!Number.isFinite(value)) this.explainDivergence(value, point.step);
      },
      onGradients: () => {
        if (batch + 1 === this.length) this.observer.noteGradients();
      },
    });
    this.average?.update(step + 1);
    const seconds = (performance.now() - begin) / 1000;
    this.progress = {
      ...this.progress,
      batch: batch + 1,
      step: step + 1,
      running: {
        loss: running.loss + loss * count,
        hits: running.hits + hits,
        images: running.images + count,
        seconds: running.seconds + seconds,
      },
    };
    const sums = this.progress.running;
    events.onStep?.({
      epoch,
      batch: batch + 1,
      batches: this.length,
      loss: sums.loss / sums.images,
      accuracy: sums.hits / sums.images,
      imagesPerSecond: sums.images / sums.seconds,
    });
  }

  private pointAt(epoch: number): Point {
    return { progress: epoch / this.config.epochs, epoch };
  }

  private rateAt(fraction: number): number {
    const point = this.pointAt(tickOf(this.clocks.rate, fraction));
    return this.optimizer.rate * this.schedule({ ...point, wholeEpochs: this.clocks.rate === 'epoch' });
  }

  /** Measures batch-norm's statistics anew on training images, where the config asks for it. */
  private async reestimate(): Promise<void> {
    const { reestimateNorm, batch, epochs } = this.config;
    if (!reestimateNorm) return;
    const places = this.orderOf(epochs).subarray(0, reestimateNorm);
    const chosen = new Batches(this.data, imagesOf(this.trainSplit, places), Math.min(batch, places.length));
    // a small last batch would count as much as a whole one
    const whole = Math.floor(places.length / Math.min(batch, places.length));
    async function* batches() {
      for (let i = 0; i < whole; i++) yield await chosen.plain(i);
    }
    const measure = () => reestimateNorms(this.network, batches());
    await (this.average ? this.average.whileInPlace(measure) : measure());
  }

  private brokenParameter(): { name: string } | undefined {
    return this.update.parameters.find(({ value }) => value.data.some((number) => !Number.isFinite(number)));
  }

  private explainDivergence(loss: number, step: number): never {
    const broken = this.brokenParameter();
    const where = broken
      ? `the first broken parameter is "${broken.name}"`
      : 'all parameters are still finite, so this batch overflowed';
    throw new DivergenceError(
      `training diverged: loss ${loss} at step ${step} (epoch ${this.progress.epoch}); ${where}. Lower --rate (now ${this.optimizer.rate}), add --warm-up-epochs, or check the data; the last checkpoint is untouched`,
    );
  }

  /** Of the averages, where the run keeps any. */
  private evaluateOn(batches: Batches): Promise<Evaluation> {
    const judge = () => this.judgeOn(batches);
    return this.average ? this.average.whileInPlace(judge) : judge();
  }

  private async judgeOn(batches: Batches): Promise<Evaluation> {
    this.network.setTraining(false);
    try {
      return await evaluate(
        (images, count) =>
          inference(() => this.network.forward(new Tensor(images, [count, ...this.data.shape])).data.slice()),
        batches,
        this.data.classes.length,
      );
    } finally {
      this.network.setTraining(true);
    }
  }

  /** The best epoch so far, this one included; undefined where the config asks for none. */
  private bestWith(validation: Evaluation | null): Best | undefined {
    const { keep, patience } = this.config;
    const { epoch, running, best } = this.progress;
    if (keep === undefined && patience === undefined) return undefined;
    const { images } = running;
    const judged: Omit<Best, 'epoch'> = validation
      ? { accuracy: validation.top1, loss: finite(validation.loss), chosenOn: 'validation', images: validation.count }
      : { accuracy: running.hits / images, loss: running.loss / images, chosenOn: 'training', images };
    return betterOf(best, { epoch, ...judged });
  }

  private async finishEpoch(events: TrainEvents): Promise<Evaluation> {
    const { epoch, step, running } = this.progress;
    // sign hides a NaN weight from the loss: look at the weights themselves
    if (this.brokenParameter()) this.explainDivergence(running.loss / running.images, step);
    // a method with stages is judged by what it is once the epoch is over
    this.network.setPoint(this.pointAt(epoch + 1));
    this.progress = { ...this.progress, gradients: this.observer.gradientNorms };
    // what comes now may take minutes, and be cut short
    this.save();
    if (epoch + 1 === this.config.epochs) await this.reestimate();
    const validation = this.validation && (await this.evaluateOn(this.validation));
    const evaluation = await this.evaluateOn(this.test);
    const sample = await this.test.plain(0);
    const sampled = Math.min(64, sample.count);
    const layers = this.observer.measure(
      sample.images.subarray(0, (sample.images.length / sample.count) * sampled),
      sampled,
    );
    const best = this.bestWith(validation);
    this.progress = {
      ...this.progress,
      epoch: epoch + 1,
      batch: 0,
      gradients: undefined,
      best,
      running: { loss: 0, hits: 0, images: 0, seconds: 0 },
    };
    const metrics: EpochMetrics = {
      epoch,
      step,
      rate: this.rateAt(epoch),
      trainLoss: running.loss / running.images,
      trainAccuracy: running.hits / running.images,
      testLoss: evaluation.loss,
      testAccuracy: evaluation.top1,
      testTop5: evaluation.top5,
      ...(validation ? { validationLoss: validation.loss, validationAccuracy: validation.top1 } : {}),
      ...(this.data.originalPixels === undefined ? {} : { originalPixels: this.data.originalPixels }),
      imagesPerSecond: running.images / running.seconds,
      seconds: running.seconds,
      layers,
    };
    // metrics first: a kill between the two repeats the epoch, and resuming drops its line
    this.folder.appendMetrics(metrics);
    if (this.config.keep === 'best' && best?.epoch === epoch) this.save(bestFile);
    this.save();
    events.onEpoch?.(metrics);
    return evaluation;
  }
}
