import type { ActivationQuantizer } from '../binarize/activations.ts';
import type { BinarizeContext, ScheduleValues } from '../binarize/context.ts';
import type { OutputMap } from '../binarize/quantizer.ts';
import type { BinaryPart } from '../binarize/stages.ts';
import type { WeightQuantizer } from '../binarize/weights.ts';
import type { Shape } from '../core/shape.ts';
import type { BinaryLayer, LayerProbe } from '../nn/binary-layer.ts';
import type { DecayChoice } from '../nn/decay.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { RateSchedule } from '../optim/schedules.ts';
import type { MixedLabels } from '../tensor/ops/loss.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How a method arranges its networks; a model builder reads this instead of asking for the method's name. */
export interface Structure {
  /** `conv-bn`: conv, pool, BN, activation, and the next layer takes the sign. `bn-conv`: BN, sign, conv, pool (XNOR-Net). */
  readonly order: 'conv-bn' | 'bn-conv';
  /** Residual networks: one real-valued shortcut around every conv (Bi-Real), around each pair (ResNet), or none, a plain network. */
  readonly shortcut: 'every-conv' | 'every-block' | 'none';
  /** Between layers, before the next sign. `two-slopes` is AdaBin's Maxout; `maxout` the PReLU times a gain that stood for it at first. */
  readonly activation: 'hardtanh' | 'relu' | 'prelu' | 'rprelu' | 'shift-rprelu' | 'two-slopes' | 'maxout' | 'none';
  /** The shortcut is multiplied by a learned factor per channel, 1 at first (BBG). */
  readonly gatedShortcut?: boolean;
  /** After the stem of CIFAR networks; default what `activation` says where it is hardtanh or relu, and hardtanh in plain networks. */
  readonly stem?: Structure['activation'];
  /** The activation of a unit: after its shortcut is added (default), or before, in the branch alone (Real-to-Binary). */
  readonly activationPlace?: 'after-sum' | 'in-branch';
  /** Shortcuts of CIFAR ResNets without weights take every second pixel (default), or the average of each square (ReCU's code). */
  readonly downsample?: 'strided' | 'average';
  /** What the factors of all batch-norms before the head start at, default 1. */
  readonly firstGamma?: number;
  /** Of CIFAR ResNets: batch-norm between the average and the classifier (IR-Net's code, and all built on it), or none (default). */
  readonly head?: 'norm' | 'plain';
  /** How a float classifier's weights start: evenly within 1/sqrt(inputs) (default), or normal with deviation sqrt(2/inputs) (CIFAR's ResNets of IR-Net, and others built on them). */
  readonly classifierStart?: 'even' | 'he';
  /**
   * Weights of the first and the last layer, in networks whose arrangement is the method's: float (default), or the method's own, of pixels as they
   * are and of what the method makes of the last features. Their logits get a batch-norm (`binary`: BNN and its kin), or a bias (`binary-biased`).
   */
  readonly firstLast?: 'float' | 'binary' | 'binary-biased';
  /**
   * No batch-norm: filters are normalised instead, products are multiplied by `branch` before they join a shortcut, and what enters a binary layer is
   * divided by its expected spread (A&B BNN).
   */
  readonly normFree?: { readonly branch: number };
  /** Batch-norm without learned scale and shift (HWGQ). */
  readonly plainNorm?: boolean;
  /** Batch-norm whose factors are powers of two (BNN's shift-based form). */
  readonly shiftNorm?: boolean;
  /** Max-pooling before or after batch-norm in `conv-bn` order; default before, so that it does not saturate (survey sec. 3.5). */
  readonly pooling?: 'before-norm' | 'after-norm';
  /** Share of the new batch in batch-norm's running averages, default 0.1. */
  readonly normMomentum?: number;
  /** All channel counts are multiplied by this, default 1 (WRPN). */
  readonly widen?: number;
  /** Every block is a sum of this many; gated: each goes on with a learned mix of its own output and the sum (Group-Net). */
  readonly branches?: { readonly count: number; readonly gated: boolean };
  /** Dilation of the first branch of a stage, counted from 1; each further one has one more. Of stages that are not named: 1 (Group-Net's BPAC). */
  readonly branchDilations?: Readonly<Record<number, number>>;
  /** Padded convolutions are summed over dilations 1 to this, one filter for all: what BPAC was taken for at first. */
  readonly dilations?: number;
  /** Multiply outputs by XNOR-Net's K, the box-filtered channel mean of |x|. */
  readonly activationScale?: boolean;
  /** Weights are normalised before their sign, so that weight decay only changes the effective rate. */
  readonly scaleInvariantWeights?: boolean;
}

/** When a value moves: once an epoch, from epoch/epochs at its start, or at every step. */
export type Clock = 'epoch' | 'step';

/** Hyper-parameters of the paper (or of its reference code), used where the user says nothing. */
export interface TrainingDefaults {
  readonly optimizer: Optimizer;
  readonly rate: RateSchedule;
  readonly epochs: number;
  readonly batch: number;
  readonly loss: 'cross-entropy' | 'squared-hinge';
  /** Clip latent weights to [-1,1] after every update. */
  readonly clipLatent: boolean;
  /** When the values of the method's schedule move, and the rate; default every step. */
  readonly clock?: { readonly schedule?: Clock; readonly rate?: Clock };
  /** Gradients of all but the classifier are at most this share of their weights' norm (`clipAdaptively`). */
  readonly adaptiveClip?: number;
  /** What weight decay takes hold of; default `weights`. */
  readonly decay?: DecayChoice;
  /** The reference trains without any, whatever is usual for its images. */
  readonly augmentation?: 'none';
}

/**
 * One of the trainings that a method is made of: with a schedule, an optimiser and a rate of its own, from the weights that the one before has left.
 * What it does not say is as in the method.
 */
export interface Stage
  extends Partial<Pick<Method, 'schedule' | 'lossTerms' | 'classificationWeight' | 'teacherFeatures'>> {
  /** In logs, `config.json` and reports. */
  readonly name: string;
  /** As published; runs of another length have all stages in proportion. */
  readonly epochs: number;
  readonly binary: BinaryPart;
  /** Whom it learns from: the teacher of the run (default), the network that the stage before has left, or nobody. */
  readonly teacher?: 'run' | 'previous' | 'none';
  readonly defaults?: Partial<TrainingDefaults>;
  /** Done to the layers before its first step, of a stage that is not the first. */
  readonly begin?: (layers: readonly BinaryLayer[]) => void;
}

/** What the reference does otherwise for one of its models. */
export interface ModelRecipe {
  readonly defaults?: Partial<TrainingDefaults>;
  readonly schedule?: Method['schedule'];
  readonly structure?: Partial<Structure>;
}

/** A time of a training, or of a stage of it: from 0 to 1, and in epochs. */
export interface Point {
  readonly progress: number;
  readonly epoch: number;
  /** Name of the stage, in a training of several. */
  readonly stage?: string | undefined;
}

/** What a teacher says of the same images. */
export interface TeacherView {
  /** [N,classes] */
  readonly logits: Tensor;
  /** What the method's `teacherFeatures` makes of a trained teacher's pass. */
  readonly features: readonly Tensor[];
  /** The layers themselves, on the tape; of a teacher that learns beside the student. */
  readonly layers: readonly LayerProbe[];
}

/** One training step as a loss term sees it. */
export interface StepView {
  /** [N,classes] */
  readonly logits: Tensor;
  readonly labels: ArrayLike<number>;
  /** Where images are mixtures of two. */
  readonly mixed?: MixedLabels | undefined;
  /** What every binary layer saw and used, in order. */
  readonly layers: readonly LayerProbe[];
  readonly context: BinarizeContext;
  readonly teacher: TeacherView | null;
}

/** One number [1], added to the classification loss. */
export type LossTerm = (view: StepView) => Tensor;

/** Where an update happens. */
export interface UpdatePoint extends Point {
  /** Learning rate of this step. */
  readonly rate: number;
  /** Counts from 1. */
  readonly step: number;
  /** Loss of the batch at hand with the network as it is by now; given in training. */
  readonly lossNow?: () => number;
}

/** What a method does to latent weights beyond its optimiser. Values it remembers belong to the layer (`kept`). */
export interface UpdateRule {
  /** The optimiser leaves latent weights alone; this rule moves them. */
  readonly ownsLatents?: boolean;
  /** Between the backward pass and the optimiser; may change gradients and weights. */
  readonly beforeStep?: (layers: readonly BinaryLayer[], point: UpdatePoint) => void;
  readonly afterStep?: (layers: readonly BinaryLayer[], point: UpdatePoint) => void;
}

/** What a layer-wise fit gets to know of a layer: the windows under sampled output positions, as its filters see them. */
export interface FitProblem {
  readonly layer: BinaryLayer;
  /** X [P,K] of quantized activations, with all layers before this one fitted. */
  readonly windows: Float32Array;
  /** The same before any layer was. */
  readonly windowsBefore: Float32Array;
}

/** Layer by layer in order of execution, weights are solved for on one batch of images, without gradients. */
export interface LayerFit {
  /** Share of the training that passes before. */
  readonly at: number;
  readonly layer: (problem: FitProblem) => void;
}

/** Least and most of something that is counted; `float`: 32 as well. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly float?: boolean;
}

/** Bits, or binary bases, of weights and of activations. */
export interface Bits {
  readonly weight: number;
  readonly activation: number;
}

/** Which other bits a method can have, and the method with them. */
export interface Widths {
  readonly weight: Range;
  readonly activation: Range;
  readonly make: (bits: Bits) => Method;
}

/** How many binary branches or bases a method can be a sum of, and the method with them. */
export interface Bases {
  readonly count: Range;
  readonly make: (count: number) => Method;
}

/** A published way of binarizing networks, as a value. Every field is a building block or a short function of its own. */
export interface Method {
  readonly id: string;
  /**
   * Counts from 1 (default) the forms that gave other outputs, had other parameters or another schedule; the ones before are in `earlier.ts`, so that
   * runs stay what they were.
   */
  readonly revision?: number;
  readonly title: string;
  readonly paper: string;
  readonly family: 'naive' | 'quantization-error' | 'loss' | 'gradient-error' | 'float';
  readonly bits: { readonly weight: number; readonly activation: number };
  readonly weight: WeightQuantizer;
  readonly activation: ActivationQuantizer;
  /** The weight estimator passes no gradient where |w| > 1. */
  readonly clippedWeightEstimator?: boolean;
  /** Applied to each binary layer's output, e.g. DoReFa's gradient quantization. */
  readonly output?: OutputMap;
  /** Added to the loss, e.g. a regulariser of weights or of the activations before their signs. */
  readonly lossTerms?: readonly LossTerm[];
  /** Factor of the classification loss beside the terms; default 1. */
  readonly classificationWeight?: number;
  /** Learns from a float network: a `trained` one, one that is used if given (`optional`), or one that learns along (`joint`). */
  readonly teacher?: 'trained' | 'optional' | 'joint';
  /** What the loss terms want of a trained teacher beside its logits, from what enters each of its binary layers, in order. */
  readonly teacherFeatures?: (inputs: readonly Tensor[]) => readonly Tensor[];
  /** The weights of a trained float network are the first ones; a run without `--init` trains one. */
  readonly start?: 'float';
  readonly update?: UpdateRule;
  readonly fit?: LayerFit;
  /** Why a packed network of this method holds float products, where it does. */
  readonly floatPacked?: string;
  /** Values for the estimators at a point of the training. */
  readonly schedule?: (point: Point) => ScheduleValues;
  /** Trained as several trainings, one after the other; their epochs add up to those of `defaults`. */
  readonly stages?: readonly Stage[];
  readonly structure: Structure;
  /** Shape of a layer's latent weights, when it is not that of its filter [KH,KW,Cin,Cout]. */
  readonly latentShape?: (filter: Shape) => Shape;
  /**
   * How latent weights start and how fast they move: `he` normal values and the plain rate (default), or `glorot`: uniform on
   * [-1,1] with the rate divided by Glorot's bound sqrt(1.5/(fan-in + fan-out)) (Courbariaux 2015, sec. 2.5).
   */
  readonly latent?: 'he' | 'glorot';
  readonly defaults: TrainingDefaults;
  /** By the model's name. */
  readonly recipes?: Readonly<Record<string, ModelRecipe>>;
  /** Other bits that it can have (`--bits`). */
  readonly widths?: Widths;
  /** Of how many binary branches or bases it can be a sum (`--bases`). */
  readonly bases?: Bases;
}

/** The method as its reference has it for a model. */
export function methodFor(method: Method, model: string): Method {
  const recipe = method.recipes?.[model];
  if (!recipe) return method;
  const { defaults, schedule, structure } = recipe;
  return {
    ...method,
    ...(schedule ? { schedule } : {}),
    structure: { ...method.structure, ...structure },
    defaults: { ...method.defaults, ...defaults },
  };
}

/** Which form of its method this is. */
export const revisionOf = ({ revision = 1 }: Pick<Method, 'revision'>): number => revision;

/** A method as a value, checked by the compiler. What to put into it: docs/add-a-method.md. */
export function defineMethod(method: Method): Method {
  return method;
}
