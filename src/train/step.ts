import { kernels } from '../backend/select.ts';
import { UsageError } from '../core/errors.ts';
import type { ParameterKind } from '../core/parameter-kinds.ts';
import type { Batch } from '../data/batches.ts';
import type { Truths } from '../data/truth.ts';
import type { Method, StepView, TeacherView, UpdatePoint } from '../methods/method.ts';
import { type ClassBatch, mixedLabels } from '../models/heads/classifier.ts';
import type { Loss, Outputs } from '../models/heads/head.ts';
import type { Network } from '../models/network.ts';
import { type BinaryLayer, binaryLayersOf, type LayerProbe, withProbe } from '../nn/binary-layer.ts';
import { decays } from '../nn/decay.ts';
import { kindsOf } from '../nn/kinds-of.ts';
import { Linear } from '../nn/layers.ts';
import type { Named, Parameter } from '../nn/module.ts';
import { clipAdaptively } from '../optim/adaptive-clip.ts';
import type { Optimizer, OptimizerState } from '../optim/optimizer.ts';
import type { Figures } from '../tasks/figures.ts';
import type { Result } from '../tasks/task.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { askTeacher } from './ask-teacher.ts';
import type { TrainConfig } from './config.ts';
import { classifying, type Purpose, tellsClasses } from './purpose.ts';

export interface StepOutcome {
  readonly loss: number;
  /** What the loss is the sum of, by name; empty where it is one. */
  readonly parts: Figures;
  /** What the task counts in training, 0 where it counts nothing: of classifiers, the images that were recognised. */
  readonly hits: number;
}

/** What is known of a batch, with what `mixup` made of it. */
export type Known = Pick<Batch<Truths>, 'mixture'> & Truths;

/** What happens inside a step: the loss is known, or all gradients are. */
export interface StepEvents {
  /** May throw, before anything has changed. */
  readonly onLoss: (loss: number) => void;
  readonly onGradients: () => void;
}

/** One update of a network: forward, the method's loss and its teacher's, backward, the optimiser and the method's own rule. */
export class TrainingStep {
  /** Of the network, and under `teacher.` of a teacher that learns along. */
  readonly parameters: readonly Named<Parameter>[];
  private readonly network: Network;
  private readonly teacher: Network | null;
  private readonly optimizer: Optimizer;
  private readonly moments: OptimizerState;
  private readonly config: TrainConfig;
  private readonly method: Method;
  private readonly kindOf: (parameter: Parameter) => ParameterKind;
  /** What `adaptiveClip` is for. */
  private readonly clipped: readonly Parameter[];
  readonly binaryLayers: readonly BinaryLayer[];
  private readonly purpose: Purpose<Result>;

  /** @param method whose losses and rules count: the network's, or that under another teacher @param purpose default classification */
  constructor(
    network: Network,
    teacher: Network | null,
    optimizer: Optimizer,
    moments: OptimizerState,
    config: TrainConfig,
    method: Method = network.method,
    purpose: Purpose<Result> = classifying({ shape: network.config.inputShape, classes: [] }),
  ) {
    this.purpose = purpose;
    this.network = network;
    this.teacher = teacher;
    this.optimizer = optimizer;
    this.moments = moments;
    this.config = config;
    this.method = method;
    this.clipped = allButClassifier(network);
    this.kindOf = kindsOf(network, ...(teacher ? [teacher] : []));
    if (config.decayOf && !('weightDecay' in optimizer.numbers))
      throw new UsageError(
        `--decay-of: ${optimizer.id} has no weight decay; take another --optimizer, or leave it out`,
      );
    const learning = method.teacher === 'joint' ? (teacher?.parameters() ?? []) : [];
    const taught = learning.map(({ name, value }) => ({ name: `teacher.${name}`, value }));
    this.parameters = [...network.parameters(), ...taught];
    this.binaryLayers = binaryLayersOf(network).map(({ value }) => value);
  }

  /** @param images normalised [N,H,W,C] */
  run(images: Tensor, known: Known, point: UpdatePoint, events: StepEvents): StepOutcome {
    return trainingStep(() => {
      const view = this.view(images, known);
      const { total, parts } = this.loss(view, known);
      const value = total.data[0]!;
      events.onLoss(value);
      const hits =
        this.purpose.task.tally?.(
          mapped(view.outputs, ({ data }) => data),
          known,
        ) ?? 0;
      const loss = { loss: value, parts: mapped(parts, ({ data }) => data[0]!), hits };
      backward(total);
      events.onGradients();
      const lossNow = () => inference(() => this.loss(this.view(images, known), known).total.data[0]!);
      this.update({ ...point, lossNow });
      return loss;
    });
  }

  private view(images: Tensor, known: Known): StepView & { readonly outputs: Outputs } {
    const layers: LayerProbe[] = [];
    const { task, head } = this.purpose;
    const outputs = this.probed(layers, () => this.network.outputs(images, head));
    const { context } = this.network;
    const logits = outputs[head.outputs[0]]!;
    const common = { outputs, logits, layers, teacher: this.teacherView(images), context };
    if (tellsClasses(task)) {
      const batch = known as unknown as ClassBatch;
      return { ...common, labels: batch.labels, mixed: mixedLabels(batch) };
    }
    const { id } = this.method;
    return {
      ...common,
      get labels(): never {
        throw new UsageError(
          `method "${id}" learns from the classes of images, and task "${task.id}" knows none; take another method`,
        );
      },
    };
  }

  /** With what the binary layers saw, when a loss term asks for it. */
  private probed<T>(layers: LayerProbe[], forward: () => T): T {
    return this.method.lossTerms ? withProbe((layer) => layers.push(layer), forward) : forward();
  }

  /** A teacher that learns along is part of the step's tape; a trained one only answers. */
  private teacherView(images: Tensor): TeacherView | null {
    if (!this.teacher) return null;
    if (this.method.teacher !== 'joint') return askTeacher(this.teacher, images, this.method.teacherFeatures);
    const { teacher } = this;
    const layers: LayerProbe[] = [];
    return { logits: this.probed(layers, () => teacher.forward(images)), features: [], layers };
  }

  private loss(view: ReturnType<TrainingStep['view']>, known: Known): Loss {
    const { defaults, lossTerms = [], classificationWeight = 1, teacher } = this.method;
    const { loss: kind = defaults.loss, labelSmoothing } = this.config;
    const { head, place } = this.purpose;
    const { total, parts } = head.loss(view.outputs, head.targets(known, place), { kind, labelSmoothing });
    // without a teacher a method that could use one learns from the labels
    const alone = teacher === 'optional' && !view.teacher;
    const weighted = classificationWeight === 1 || alone ? total : scale(total, classificationWeight);
    return { total: lossTerms.map((term) => term(view)).reduce(add, weighted), parts };
  }

  /** Rates of kinds are base rates: the schedule moves them as it moves the others. */
  private rateFactorOf(parameter: Parameter): number {
    const rate = this.config.rateOf?.[this.kindOf(parameter)];
    return rate === undefined ? 1 : rate / this.optimizer.rate;
  }

  private update(point: UpdatePoint): void {
    const { defaults, update } = this.method;
    update?.beforeStep?.(this.binaryLayers, point);
    if (defaults.adaptiveClip !== undefined) clipAdaptively(this.clipped, defaults.adaptiveClip);
    const trainables = this.parameters.map(({ name, value }) => ({
      name,
      data: value.data,
      grad: update?.ownsLatents && value.role === 'latent' ? null : value.grad,
      decay: decays(this.config.decay ?? defaults.decay ?? 'weights', value),
      ownDecay: this.config.decayOf?.[this.kindOf(value)],
      rateFactor: value.rateFactor * this.rateFactorOf(value),
    }));
    this.optimizer.update(trainables, this.moments, point.rate, point.step);
    update?.afterStep?.(this.binaryLayers, point);
    if (this.config.clipLatent ?? defaults.clipLatent)
      for (const { weight } of this.binaryLayers) kernels().clamp(weight.data, -1, 1);
    for (const { value } of this.parameters) value.grad = null;
  }
}

const mapped = <A, B>(values: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, of(value)]));

function allButClassifier(network: Network): Parameter[] {
  const classifier = network.modules().findLast(({ value }) => value instanceof Linear)?.value as Linear | undefined;
  const [weight, bias] = [classifier?.weight, classifier?.bias];
  return network.parameters().flatMap(({ value }) => (value === weight || value === bias ? [] : [value]));
}
