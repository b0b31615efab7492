import { switchesFor } from '../binarize/stages.ts';
import { DivergenceError } from '../core/errors.ts';
import type { Batch } from '../data/batches.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Truths } from '../data/truth.ts';
import type { Point } from '../methods/method.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import type { Optimizer, OptimizerState } from '../optim/optimizer.ts';
import type { RateSchedule } from '../optim/schedules.ts';
import type { Result } from '../tasks/task.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Clocks, clocksOf, tickOf } from './clock.ts';
import { optimizerOf, scheduleOf } from './config.ts';
import { fitLayers, isFitted } from './fit-layers.ts';
import type { House } from './plugin.ts';
import { type Purpose, requireFor } from './purpose.ts';
import type { StagePlan } from './stages.ts';
import { type Known, type StepOutcome, TrainingStep } from './step.ts';
import { teacherFor } from './teacher.ts';

/** Whom the stages of a run learn from, as far as that is decided outside of them. */
export interface Teachers {
  /** Run or checkpoint file of the network that the stage before has left. */
  readonly previous: string;
  /** A network that learns along stays from stage to stage. */
  readonly companion: Network | null;
  /** What such a one was, in a run that is continued. */
  readonly companionForm?: Pick<NetworkConfig, 'revision' | 'structure'> | undefined;
  /** Methods and models that the files of teachers may be of. */
  readonly own?: House | undefined;
}

/** The images of a run, as far as a teacher must agree with them. */
type SeenImages = Pick<DataSet, 'classes' | 'mean' | 'std'>;

/** One training of a network: its optimiser and what that remembers, its rate, its clocks, its teacher. Epochs are those of the run. */
export class StageTraining {
  readonly plan: StagePlan;
  readonly optimizer: Optimizer;
  /** Nothing is left in it from the stage before. */
  readonly moments: OptimizerState = new Map();
  readonly teacher: Network | null;
  private readonly network: Network;
  private readonly rate: RateSchedule;
  private readonly clocks: Clocks;
  private readonly update: TrainingStep;

  /** @throws UsageError for values that do not go together, and for a teacher that is missing or for other images */
  constructor(
    plan: StagePlan,
    network: Network,
    data: SeenImages,
    purpose: Purpose<Result>,
    { previous, companion, companionForm, own }: Teachers,
  ) {
    const { config, method, teacher } = plan;
    requireFor(purpose, config, method);
    this.plan = plan;
    this.network = network;
    this.optimizer = optimizerOf(config, method);
    this.rate = scheduleOf(config, method);
    this.clocks = clocksOf(config, method);
    const path = teacher === 'previous' ? previous : config.teacher;
    const parts = { ...own, heads: purpose.task.heads };
    this.teacher =
      method.teacher === 'joint' && companion
        ? companion
        : teacherFor(method, network, path, data, companionForm, parts);
    this.update = new TrainingStep(network, this.teacher, this.optimizer, this.moments, config, method, purpose);
  }

  get binaryLayers(): readonly BinaryLayer[] {
    return this.update.binaryLayers;
  }

  /** The teacher, where it learns along. */
  get companion(): Network | null {
    return this.plan.method.teacher === 'joint' ? this.teacher : null;
  }

  /** Moves the network to a time of the run, in epochs, as far as its clock has come by then. */
  moveTo(epochs: number): Point {
    const point = this.pointAt(this.plan.first + tickOf(this.clocks.schedule, epochs - this.plan.first));
    this.settleAt(point);
    return point;
  }

  /** Moves the network to where it stands when an epoch is over: it is judged and packed as what it is then. */
  moveToEndOf(epoch: number): void {
    this.settleAt(this.pointAt(epoch + 1));
  }

  /** Learning rate at a time of the run. */
  rateAt(epochs: number): number {
    const { first } = this.plan;
    const point = this.pointAt(first + tickOf(this.clocks.rate, epochs - first));
    return this.optimizer.rate * this.rate({ ...point, wholeEpochs: this.clocks.rate === 'epoch' });
  }

  /**
   * One step.
   *
   * @param epochs time of the run
   * @param step of this stage, counts from 1
   * @param onGradients while they exist
   * @throws DivergenceError when the loss is NaN or infinite, before anything has changed
   */
  step(batch: Batch<Truths>, epochs: number, step: number, onGradients: () => void): StepOutcome {
    const { images, count } = batch;
    const point = { ...this.moveTo(epochs), rate: this.rateAt(epochs), step };
    const input = new Tensor(images, [count, ...this.network.config.inputShape]);
    const { fit } = this.plan.method;
    if (fit && this.plan.isLast && point.progress >= fit.at && !isFitted(this.network))
      fitLayers(this.network, fit, input);
    const onLoss = (loss: number) => {
      if (!Number.isFinite(loss)) this.explainDivergence(loss, epochs, step);
    };
    return this.update.run(input, batch as unknown as Known, point, { onLoss, onGradients });
  }

  /** A sign hides a NaN weight from the loss. @throws DivergenceError when a parameter is not finite */
  requireFinite(loss: number, epochs: number, step: number): void {
    if (this.brokenParameter()) this.explainDivergence(loss, epochs, step);
  }

  private pointAt(epochs: number): Point {
    const epoch = epochs - this.plan.first;
    return { progress: epoch / this.plan.epochs, epoch };
  }

  private settleAt(point: Point): void {
    const { binary, method, name } = this.plan;
    const values = method.schedule?.(point) ?? {};
    if (binary) this.network.setPoint({ ...point, stage: name }, { ...values, ...switchesFor(binary) });
    else this.network.setPoint(point, values);
  }

  private brokenParameter(): { name: string } | undefined {
    return this.update.parameters.find(({ value }) => value.data.some((number) => !Number.isFinite(number)));
  }

  private explainDivergence(loss: number, epochs: number, step: number): never {
    const broken = this.brokenParameter();
    const where = broken
      ? `the first broken parameter is "${broken.name}"`
      : 'all parameters are still finite, so this batch overflowed';
    const { name } = this.plan;
    const place = `step ${step} (${name === undefined ? '' : `stage ${name}, `}epoch ${Math.floor(epochs)})`;
    throw new DivergenceError(
      `training diverged: loss ${loss} at ${place}; ${where}. Lower --rate (now ${this.optimizer.rate}), add --warm-up-epochs, or check the data; the last checkpoint is untouched`,
    );
  }
}
