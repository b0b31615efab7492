import { arithmeticChange } from '../backend/arithmetic.ts';
import { InterruptError } from '../core/errors.ts';
import { sayOnce } from '../core/say-once.ts';
import type { Batch } from '../data/batches.ts';
import type { DataSet, Split } from '../data/dataset.ts';
import type { Loader } from '../data/loader.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import type { Optimizer, OptimizerState } from '../optim/optimizer.ts';
import { classification } from '../tasks/classification.ts';
import type { Result, Task } from '../tasks/task.ts';
import { WeightAverage } from './average.ts';
import { bestFile, hasStalled } from './best.ts';
import { epochSigns, type LoadedCheckpoint, type Progress, restore, saveCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { bestWith, epochLine } from './epoch-outcome.ts';
import type { Evaluation } from './evaluate.ts';
import { Judge } from './judge.ts';
import { LayerObserver } from './layer-metrics.ts';
import { addedParts } from './loss-parts.ts';
import type { House } from './plugin.ts';
import { type Purpose, purposeOf, requireSameTask } from './purpose.ts';
import type { TrainEvents, TrainResult } from './run-events.ts';
import { type RunFolder, stageFile } from './run-folder.ts';
import { StageTraining } from './stage-training.ts';
import { hasStages, type StagePlan, stageAt, stagesOf } from './stages.ts';
import { adopt, requireTeacher, trainedNetwork } from './teacher.ts';
import { TrainingImages } from './training-images.ts';

/** Between the checkpoints at the end of each epoch, for epochs that take hours. */
const saveEveryMs = 5 * 60_000;

const breatheEveryMs = 50;

const noSums: Progress['running'] = { loss: 0, hits: 0, images: 0, seconds: 0 };

/** What is trained, on what, how, and where that is kept. */
export interface Training<R extends Result = Evaluation> {
  /** Untrained, and for the images at hand; with the outputs of the task's head. */
  readonly network: Network;
  readonly data: DataSet<Split<object>>;
  readonly folder: RunFolder;
  /** Its model and its method are the network's. */
  readonly config: TrainConfig;
  /** Default: images have one class each. */
  readonly task?: Task<Truths, R> | undefined;
  /** Methods and models that the files of teachers and starts may be of, beside those of Signum. */
  readonly own?: House | undefined;
}

/** Trains one network on one data set, stage by stage and epoch by epoch, in a run folder. */
export class Trainer<R extends Result = Evaluation> {
  readonly network: Network;
  /** The trainings that the run is made of. */
  readonly stages: readonly StagePlan[];
  private readonly config: TrainConfig;
  private readonly own: House | undefined;
  readonly folder: RunFolder;
  private readonly images: TrainingImages;
  /** What the network is trained for. */
  readonly purpose: Purpose<R>;
  private readonly observer: LayerObserver;
  private readonly average: WeightAverage | null;
  private readonly judge: Judge<R>;
  private stage: StageTraining;
  private progress: Progress;
  private lastSave = performance.now();
  private lastBreath = 0;

  /** @throws UsageError for values that do not go together, and for a teacher or a start that is missing */
  constructor({
    network,
    data,
    folder,
    config,
    own,
    task = classification as unknown as Task<Truths, R>,
  }: Training<R>) {
    this.config = config;
    this.folder = folder;
    this.own = own;
    this.purpose = purposeOf(task, data, network.config.head);
    this.images = new TrainingImages(config, data, task.truth);
    this.network = network;
    this.stages = stagesOf(config, this.network.method);
    if (config.init) adopt(this.network, trainedNetwork(config.init, '--init', own).network);
    this.stage = this.begun(this.stages[0]!, null);
    // what a later stage lacks is said now, not after days
    for (const { config: later, teacher, index } of this.stages)
      if (index > 0 && teacher === 'run' && later.teacher !== undefined) requireTeacher(later.teacher);
    this.observer = new LayerObserver(this.network);
    this.average = config.ema ? new WeightAverage(this.network, config.ema) : null;
    this.judge = new Judge(this.network, this.average, this.purpose);
    this.progress = {
      epoch: 0,
      batch: 0,
      step: 0,
      ...(hasStages(this.stages) ? { stage: { index: 0, step: 0 } } : {}),
      running: noSums,
      task: task.id,
      classes: [...data.classes],
      images: data.train.count,
      ...(data.order ? { order: data.order } : {}),
      mean: [...data.mean],
      std: [...data.std],
    };
  }

  /** Of the stage at hand. */
  get optimizer(): Optimizer {
    return this.stage.optimizer;
  }

  /** Of the stage at hand. */
  get teacher(): Network | null {
    return this.stage.teacher;
  }

  /** A teacher that learns along is saved with the student. */
  get companion(): Network | undefined {
    return this.stage.companion ?? undefined;
  }

  /** Continues from a checkpoint of the same config: the weights will be those of an uninterrupted run. */
  resume(checkpoint: LoadedCheckpoint): void {
    const { epoch, batch, step, stage, running, gradients, best } = checkpoint;
    requireSameTask(checkpoint, this.purpose.task);
    if (stage && stage.index !== this.stage.plan.index)
      this.stage = this.begun(this.stages[stage.index]!, this.stage.companion);
    restore(checkpoint, this.network, this.stage.moments, this.companion);
    this.average?.restore(checkpoint.tensors);
    this.observer.restoreSigns(epochSigns(checkpoint));
    const change = arithmeticChange(checkpoint.arithmetic);
    if (change) sayOnce(change);
    this.observer.restoreGradients(checkpoint.gradients ?? {});
    this.progress = { ...this.progress, epoch, batch, step, ...(stage ? { stage } : {}), running, gradients, best };
    this.folder.keepMetricsBefore(epoch);
  }

  /** Writes a checkpoint, from which a run continues exactly. @param moments of the optimiser */
  save(name = 'checkpoint.safetensors', moments: OptimizerState = this.stage.moments): void {
    this.lastSave = performance.now();
    saveCheckpoint(
      (file) => this.folder.write(name, file),
      this.network,
      moments,
      this.observer.signs,
      this.progress,
      this.companion,
      this.average?.tensors(),
    );
  }

  /** @throws DivergenceError when the loss is NaN or infinite; the last checkpoint stays */
  async run(events: TrainEvents = {}): Promise<TrainResult<R>> {
    this.network.setTraining(true);
    const loader = this.images.open();
    try {
      return await this.runEpochs(loader, events);
    } finally {
      loader.close();
    }
  }

  private async runEpochs(loader: Loader<Truths>, events: TrainEvents): Promise<TrainResult<R>> {
    const { epochs } = this.config;
    let evaluation: R | null = null;
    try {
      while (this.progress.epoch < epochs && !this.hasStalled) {
        this.enterStage(events);
        loader.begin(this.images.epochFrom(this.progress.epoch, this.progress.batch));
        while (this.progress.batch < this.images.length) {
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
        evaluation = await this.judge.evaluate(this.images.test);
      }
      return this.result(evaluation ?? (await this.judge.evaluate(this.images.test)));
    } catch (error) {
      // an evaluation was cut short: the checkpoint was saved before it
      if (error instanceof InterruptError) return this.result(null);
      throw error;
    }
  }

  private begun(plan: StagePlan, companion: Network | null): StageTraining {
    const previous = this.folder.file(stageFile(plan.index - 1));
    const companionForm = this.config.effective?.companion;
    const teachers = { previous, companion, companionForm, own: this.own };
    return new StageTraining(plan, this.network, this.images.data, this.purpose, teachers);
  }

  /**
   * Begins the next stage, where the epoch is its first: what the one before has left is kept in a file, and of its optimiser nothing. A checkpoint
   * between the two is of the stage that is over.
   */
  private enterStage(events: TrainEvents): void {
    const plan = stageAt(this.stages, this.progress.epoch);
    const before = this.stage;
    if (plan.index === before.plan.index) return;
    this.save(stageFile(before.plan.index), new Map());
    // what was judged goes on
    this.average?.settle();
    plan.begin?.(this.stage.binaryLayers);
    this.stage = this.begun(plan, before.companion);
    this.progress = { ...this.progress, stage: { index: plan.index, step: this.progress.step }, best: undefined };
    events.onNote?.(`stage ${plan.index + 1} of ${this.stages.length} begins: ${plan.name}`);
  }

  private result(evaluation: R | null): TrainResult<R> {
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

  /** `patience` waits in the last stage: those before it are not what the run is for. */
  private get hasStalled(): boolean {
    return this.stage.plan.isLast && hasStalled(this.config, this.progress.best, this.progress.epoch);
  }

  /** When the images are gone, what was learned from them is not. */
  private async nextOf(loader: Loader<Truths>): Promise<Batch<Truths>> {
    try {
      return await loader.next();
    } catch (error) {
      this.save();
      throw error;
    }
  }

  /** Steps of the stage at hand so far: its optimiser and its averages count them. */
  private get stageSteps(): number {
    return this.progress.step - (this.progress.stage?.step ?? 0);
  }

  /** @param begin when the wait for the batch began, so that img/s counts it */
  private step(batch: Batch<Truths>, begin: number, events: TrainEvents): void {
    const { epoch, batch: place, step, running } = this.progress;
    const { length } = this.images;
    // none of its files could be decoded
    if (batch.count === 0) {
      this.progress = { ...this.progress, batch: place + 1 };
      return;
    }
    const number = this.stageSteps + 1;
    const { loss, parts, hits } = this.stage.step(batch, epoch + place / length, number, () => {
      if (place + 1 === length) this.observer.noteGradients();
    });
    this.average?.update(number);
    const sums = {
      loss: running.loss + loss * batch.count,
      hits: running.hits + hits,
      ...addedParts(running.parts, parts, batch.count),
      images: running.images + batch.count,
      seconds: running.seconds + (performance.now() - begin) / 1000,
    };
    this.progress = { ...this.progress, batch: place + 1, step: step + 1, running: sums };
    events.onStep?.({
      epoch,
      batch: place + 1,
      batches: length,
      loss: sums.loss / sums.images,
      ...(this.purpose.task.tally ? { accuracy: sums.hits / sums.images } : {}),
      imagesPerSecond: sums.images / sums.seconds,
    });
  }

  /** Where the config asks for it. */
  private async reestimate(): Promise<void> {
    const { reestimateNorm } = this.config;
    if (reestimateNorm) await this.judge.reestimate(this.images.plain(reestimateNorm));
  }

  private async finishEpoch(events: TrainEvents): Promise<R> {
    const { epoch, running } = this.progress;
    this.stage.requireFinite(running.loss / running.images, epoch, this.stageSteps);
    this.stage.moveToEndOf(epoch);
    this.progress = { ...this.progress, gradients: this.observer.gradientNorms };
    // what comes now may take minutes, and be cut short
    this.save();
    if (epoch + 1 === this.config.epochs) await this.reestimate();
    const { validation: held, test } = this.images;
    const validation = held && (await this.judge.evaluate(held));
    const evaluation = await this.judge.evaluate(test);
    const layers = this.observer.measure(await test.plain(0));
    const outcome = { progress: this.progress, task: this.purpose.task, evaluation, validation };
    const best = bestWith(this.config, outcome);
    const metrics = epochLine(outcome, {
      stage: this.stage.plan.name,
      rate: this.stage.rateAt(epoch),
      originalPixels: this.images.data.originalPixels,
      layers,
    });
    this.progress = { ...this.progress, epoch: epoch + 1, batch: 0, gradients: undefined, best, running: noSums };
    // metrics first: a kill between the two repeats the epoch, and resuming drops its line
    this.folder.appendMetrics(metrics);
    if (this.config.keep === 'best' && best?.epoch === epoch) this.save(bestFile);
    this.save();
    events.onEpoch?.(metrics);
    return evaluation;
  }
}
