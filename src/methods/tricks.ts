import { estimators } from '../binarize/estimators.ts';
import { symmetricLevels } from '../binarize/level-activations.ts';
import { partitioned } from '../binarize/partitions.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { bitLadder, floatUntil } from '../binarize/stages.ts';
import type { ActivationBits, WeightBits } from '../binarize/terms.ts';
import { tanhLevels } from '../binarize/weights.ts';
import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import type { Method, Structure } from './method.ts';

/** What section 3.5 of the survey collects: changes that most methods can be combined with. */
export interface Tricks {
  /** Batch-norm after the convolution, or before its signs. */
  readonly blockOrder?: Structure['order'] | undefined;
  /** Max-pooling right after the convolution, or after its batch-norm. */
  readonly pooling?: NonNullable<Structure['pooling']> | undefined;
  readonly shortcut?: Structure['shortcut'] | undefined;
  readonly activation?: Structure['activation'] | undefined;
  /** After the stem. */
  readonly stem?: NonNullable<Structure['stem']> | undefined;
  /** Of shortcuts without weights. */
  readonly downsample?: NonNullable<Structure['downsample']> | undefined;
  /** Batch-norm before the classifier of CIFAR ResNets. */
  readonly head?: NonNullable<Structure['head']> | undefined;
  /** Weights of the first and the last layer. */
  readonly firstLast?: NonNullable<Structure['firstLast']> | undefined;
  /** Share of the new batch in batch-norm's running averages. */
  readonly normMomentum?: number | undefined;
  /** Slope that stands in for the derivative of the activations' sign, and of the weights'. */
  readonly estimator?: string | undefined;
  readonly weightEstimator?: string | undefined;
  /** Half of the training binarizes one of the two only. */
  readonly stages?: 'activations-first' | 'weights-first' | undefined;
  /** Bits of weights and activations before the method's own, an equal part of the training each, e.g. [8, 4, 2]. */
  readonly bitSteps?: readonly number[] | undefined;
  /** Shares of the weights that are binarized before all are, e.g. [0.5, 0.75, 0.875]. */
  readonly partitions?: readonly number[] | undefined;
}

function refuse(method: Method, option: string, reason: string): never {
  throw new UsageError(`${option} does not go with method "${method.id}": ${reason}`);
}

/** The method's quantizer with another estimator. */
function reestimated<Out>(
  method: Method,
  quantizer: Quantizer<Out>,
  name: string | undefined,
  option: string,
): Quantizer<Out> {
  if (name === undefined) return quantizer;
  const estimator = estimators.find(({ id }) => id === name);
  if (!estimator) {
    const known = estimators.map(({ id }) => id);
    throw new UsageError(
      `${option}: unknown estimator "${name}"${suggestion(name, known)}; there are ${known.join(', ')}`,
    );
  }
  if (method.update?.ownsLatents) refuse(method, option, 'its own rule moves the weights, not a gradient');
  return (
    quantizer.withEstimator?.(estimator) ??
    refuse(method, option, 'what it estimates is not a plain sign, so a slope of sign has no place in it')
  );
}

function structureWith(method: Method, tricks: Tricks): Structure {
  const { blockOrder, pooling, shortcut, activation, head, stem, downsample, firstLast } = tricks;
  const { structure } = method;
  const order = blockOrder ?? structure.order;
  const after = activation ?? structure.activation;
  const binary = method.bits.activation === 1 && method.activation.withEstimator !== undefined;
  if (after === 'relu' && order === 'conv-bn' && binary && (activation ?? blockOrder) !== undefined)
    refuse(
      method,
      `--activation relu in ${order} order`,
      'the sign of what a ReLU lets through is +1 everywhere; use prelu or rprelu, or bn-conv order',
    );
  if (pooling === 'after-norm' && order === 'bn-conv')
    refuse(method, '--pooling after-norm', 'in bn-conv order the next batch-norm follows the pooling anyway');
  if (firstLast !== undefined && firstLast !== 'float' && method.family === 'float')
    refuse(method, `--first-last ${firstLast}`, 'it binarizes nothing');
  if (firstLast !== undefined && firstLast !== 'float' && structure.normFree)
    refuse(method, `--first-last ${firstLast}`, 'without batch-norm its unit filters must be float there');
  if (structure.gatedShortcut && shortcut !== undefined && shortcut !== structure.shortcut)
    refuse(method, '--shortcut', 'it gates its own shortcuts, which are part of it');
  return {
    ...structure,
    order,
    activation: after,
    shortcut: shortcut ?? structure.shortcut,
    ...(pooling ? { pooling } : {}),
    ...(head ? { head } : {}),
    ...(stem ? { stem } : {}),
    ...(downsample ? { downsample } : {}),
    ...(firstLast ? { firstLast } : {}),
    ...(tricks.normMomentum === undefined ? {} : { normMomentum: tricks.normMomentum }),
  };
}

/** Place of a training among `count` equal parts. */
const part = (progress: number, count: number): number => Math.min(count - 1, Math.floor(progress * count));

function staged(method: Method, tricks: Tricks): Method {
  const { stages, bitSteps, partitions } = tricks;
  const asked = Object.entries({ '--stages': stages, '--bit-steps': bitSteps, '--partitions': partitions });
  const [first, second] = asked.filter(([, value]) => value !== undefined).map(([option]) => option);
  if (first === undefined) return method;
  if (second) refuse(method, `${first} with ${second}`, 'each is a plan for the whole training; choose one');
  if (method.family === 'float') refuse(method, first, 'it binarizes nothing');
  if (method.update) refuse(method, first, 'its own update rule needs its quantized weights from the first step on');
  const { schedule = () => ({}), latentShape } = method;
  if (latentShape && !stages) refuse(method, first, 'its filters are made from latent weights of another shape');
  if (stages) {
    const [weights, activations] = stages === 'weights-first' ? [0, 0.5] : [0.5, 0];
    if (stages === 'activations-first' && latentShape)
      refuse(method, first, 'its filters are made from latent weights of another shape');
    return {
      ...method,
      weight: floatUntil('trickWeights', method.weight),
      activation: floatUntil('trickActivations', method.activation),
      schedule: (point) => ({
        ...schedule(point),
        trickWeights: point.progress < weights ? 0 : 1,
        trickActivations: point.progress < activations ? 0 : 1,
      }),
    };
  }
  if (partitions)
    return {
      ...method,
      weight: partitioned('trickShare', method.weight),
      schedule: (point) => ({
        ...schedule(point),
        trickShare: [...partitions, 1][part(point.progress, partitions.length + 1)]!,
      }),
    };
  const steps = bitSteps!;
  const ladder = <Out>(make: (bits: number) => Quantizer<Out>) => new Map(steps.map((bits) => [bits, make(bits)]));
  const activation =
    method.bits.activation === 32
      ? method.activation
      : bitLadder<ActivationBits>('trickBits', ladder(symmetricLevels), method.activation);
  return {
    ...method,
    weight: bitLadder<WeightBits>('trickBits', ladder(tanhLevels), method.weight),
    activation,
    schedule: (point) => ({
      ...schedule(point),
      trickBits: [...steps, 1][part(point.progress, steps.length + 1)]!,
    }),
  };
}

/** IR-Net's slope sharpens over the training; methods that borrow it get its plan. */
function withErrorDecay(method: Method, { estimator, weightEstimator }: Tricks): Method {
  if (estimator !== 'ede' && weightEstimator !== 'ede') return method;
  const { schedule = () => ({}) } = method;
  return { ...method, schedule: (point) => ({ t: 0.1 * 100 ** point.progress, ...schedule(point) }) };
}

/**
 * A method changed by options.
 *
 * @throws UsageError for combinations that make no sense, with the reason
 */
export function withTricks(method: Method, tricks: Tricks): Method {
  const changed: Method = {
    ...method,
    structure: structureWith(method, tricks),
    weight: reestimated(method, method.weight, tricks.weightEstimator, '--weight-estimator'),
    activation: reestimated(method, method.activation, tricks.estimator, '--estimator'),
    ...(tricks.weightEstimator ? { clippedWeightEstimator: tricks.weightEstimator === 'clip' } : {}),
  };
  return withErrorDecay(staged(changed, tricks), tricks);
}
