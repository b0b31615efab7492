import type { UnaryOp } from '../backend/kernels.ts';
import { kernels } from '../backend/select.ts';
import { SignumError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { floats, release, withScope } from './storage.ts';
import { Tensor } from './tensor.ts';

type Releasable = Float32Array | Uint32Array | Int32Array;

/** Facts of an op that packing needs: geometry, constants. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Multiplications of values by weights. */
export interface Product {
  /** Multiply-accumulates for each image. */
  readonly macs: number;
  readonly weightBits: number;
  /** Bits of what the weights are multiplied by. */
  readonly inputBits: number;
}

/** A gradient that is still to be multiplied by a slope at the values of its tensor: an estimator's, which the tensor's own op may do on its way. */
export interface SlopedGradient {
  readonly values: Float32Array;
  readonly slope: UnaryOp;
  readonly p0: number;
  readonly p1: number;
}

/** The gradient of an output as two terms: one as it is, one under a slope. */
export interface GradientTerms {
  readonly direct: Float32Array | null;
  readonly sloped: SlopedGradient;
}

/** Gradients of an op's inputs; null: none. */
type InputGradients = readonly (Float32Array | SlopedGradient | null)[];

/** One op that ran: what went in, what came out, and how gradients go back. */
export interface TapeNode {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Attributes;
  /** What it multiplies by weights, if that is its work. */
  readonly product: Product | undefined;
  /** From the gradient of the output to those of the inputs (null: none). It owns `g` and may return it. */
  readonly backward: (g: Float32Array) => InputGradients;
  /** The same from a gradient in two terms, where the op can take them in one pass. It owns both. */
  readonly joined: ((terms: GradientTerms) => InputGradients) | undefined;
  /** Arrays kept only for this node's backward. */
  readonly saved: readonly Releasable[];
  /** The output shares its array with an input. */
  readonly view: boolean;
  /** Who computed it, where that is asked for (`ownedBy`). */
  readonly owner: unknown;
}

const copies = Symbol.for('signum-bnn.tapes');
const shared = globalThis as { [copies]?: string[] };
shared[copies] = [...(shared[copies] ?? []), import.meta.url];

/** Where the copies of this module are that run here: what is computed by one is not on the tape of another. */
export const tapeCopies = (): readonly string[] => shared[copies] ?? [];

interface Tape {
  readonly nodes: TapeNode[];
  /** Keep every op, also those without gradient. */
  readonly keepAll: boolean;
}

let tape: Tape | null = null;
let owner: unknown = null;

export interface RecordOptions {
  readonly attributes?: Attributes;
  /** Layers are called after their products, and what a network costs is the sum of them. */
  readonly product?: Product;
  readonly saved?: readonly Releasable[];
  readonly view?: boolean;
  readonly joined?: TapeNode['joined'];
  /** The backward pass takes the output for a constant: no gradient goes through it. */
  readonly constant?: boolean;
}

/** True when an op over these inputs has to keep what its backward needs. */
export function needsGradient(inputs: readonly Tensor[]): boolean {
  return tape !== null && inputs.some((input) => input.requiresGrad);
}

/** Puts an op that produced `output` on the tape. Outside a tape, and for ops without gradient, nothing is kept. */
export function record<T extends Tensor>(
  op: string,
  inputs: readonly Tensor[],
  output: T,
  backward: TapeNode['backward'],
  options: RecordOptions = {},
): T {
  const differentiable = !options.constant && needsGradient(inputs);
  output.requiresGrad = differentiable;
  if (differentiable || tape?.keepAll) {
    const { attributes = {}, product, saved = [], view = false, joined } = options;
    tape!.nodes.push({ op, inputs, output, attributes, product, backward, joined, saved, view, owner });
  }
  return output;
}

/** A new array for the gradient of `input`, filled by `fill`; null when nobody wants that gradient. */
export function gradientOf(input: Tensor | undefined, fill: (gradient: Float32Array) => void): Float32Array | null {
  if (!input?.requiresGrad) return null;
  const gradient = floats(input.size);
  fill(gradient);
  return gradient;
}

/** A tensor over a new array of this step. */
export function emptyTensor(shape: Shape): Tensor {
  return new Tensor(floats(shape.reduce((a, b) => a * b, 1)), shape);
}

function withTape<T>(next: Tape | null, body: (nodes: TapeNode[]) => T): T {
  const outer = tape;
  tape = next;
  try {
    return withScope(() => body(next?.nodes ?? []));
  } finally {
    tape = outer;
  }
}

/** Ops recorded inside `body`, and not inside another of these in it, are of `whom`. */
export function ownedBy<T>(whom: unknown, body: () => T): T {
  const outer = owner;
  owner = whom;
  try {
    return body();
  } finally {
    owner = outer;
  }
}

/**
 * A body that is done when it returns: there is one tape, and what an async function does after its first `await` would be recorded on
 * somebody else's, its storage already given back.
 */
export type Synchronous<T> = (() => T) &
  ([T] extends [never]
    ? unknown
    : T extends PromiseLike<unknown>
      ? { readonly 'must not return a promise': never }
      : unknown);

/**
 * Runs a body and checks that nothing of it is still to come.
 *
 * @throws SignumError when it returns a promise
 */
function finished<T>(caller: string, body: () => T): T {
  const result = body();
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return result;
  // its failure, if any, follows from this one
  (result as PromiseLike<unknown>).then(undefined, () => {});
  throw new SignumError(
    `${caller}: the body returned a promise, and what it computes later would not be part of this ${caller}; await before the call, and give it a function that is not async`,
  );
}

/**
 * One training step: ops are recorded, `backward` may be called inside, all storage returns to the pool at the end.
 *
 * @throws SignumError when the body returns a promise
 */
export function trainingStep<T>(body: Synchronous<T>): T {
  return withTape({ nodes: [], keepAll: false }, () => finished('trainingStep', body));
}

/**
 * Forward passes without gradients, on pooled storage.
 *
 * @throws SignumError when the body returns a promise
 */
export function inference<T>(body: Synchronous<T>): T {
  return withTape(null, () => finished('inference', body));
}

/**
 * Runs `body` keeping every op, and hands the list to `read` before storage is released.
 *
 * @throws SignumError when the body returns a promise
 */
export function traced<T, R>(body: Synchronous<T>, read: (result: T, nodes: readonly TapeNode[]) => R): R {
  return withTape({ nodes: [], keepAll: true }, (nodes) => read(finished('traced', body), nodes));
}

/**
 * Gives back the values of an op's output that no one reads again: neither a later op nor any backward on the tape. The caller knows
 * that, e.g. of a convolution right before a max-pool, which needs only the winners' places. Traces keep everything.
 */
export function discard(output: Tensor): void {
  if (tape?.keepAll || !output.storage) return;
  // a view's array belongs to the tensor it views, whose own node will release it
  if (tape?.nodes.findLast((node) => node.output === output)?.view) return;
  release(output.storage);
  output.dropStorage();
}

/** Gradients that wait for the op of their tensor, at most one for each. */
type Waiting = Map<Tensor, SlopedGradient>;

function accumulate(input: Tensor, gradient: Float32Array, claimed: Set<Float32Array>): void {
  if (input.grad === null) {
    // one array returned for two inputs (add) must not be shared: both accumulate into theirs
    if (claimed.has(gradient)) {
      const copy = floats(gradient.length);
      copy.set(gradient);
      input.grad = copy;
    } else {
      claimed.add(gradient);
      input.grad = gradient;
    }
    return;
  }
  kernels().blend(gradient, 1, 1, input.grad);
}

/** The product of a gradient and its slope at x, in its own array. */
function multiplied({ values, slope, p0, p1 }: SlopedGradient, x: Tensor): Float32Array {
  kernels().unaryBackward(slope, x.data, values, values, p0, p1);
  return values;
}

/** Adds what waits for a tensor to its gradient, so that terms are added in the order in which they came. */
function settle(tensor: Tensor, waiting: Waiting): void {
  const sloped = waiting.get(tensor);
  if (!sloped) return;
  waiting.delete(tensor);
  const claimed = new Set<Float32Array>();
  const gradient = multiplied(sloped, tensor);
  accumulate(tensor, gradient, claimed);
  if (!claimed.has(gradient)) release(gradient);
}

/**
 * Runs the tape backwards from a scalar. Parameters keep their `grad` until the step ends; the storage of intermediate
 * tensors is released as soon as nothing below needs it.
 *
 * @param loss a tensor of one value, computed inside this training step
 * @throws SignumError outside a training step or when nothing on the tape leads to `loss`
 */
export function backward(loss: Tensor): void {
  if (tape === null) throw new SignumError('backward: call it inside trainingStep, where ops are recorded');
  if (loss.size !== 1)
    throw new SignumError(`backward: the loss must be one number, got ${loss.size}; take its mean or sum`);
  if (!loss.requiresGrad) throw new SignumError('backward: the loss does not depend on any parameter');
  loss.grad = floats(1).fill(1);
  const waiting: Waiting = new Map();
  const joining = new Set(tape.nodes.filter((node) => node.joined).map((node) => node.output));
  for (const node of tape.nodes.toReversed()) {
    const { output } = node;
    const sloped = waiting.get(output);
    waiting.delete(output);
    const g = output.grad;
    if (g !== null || sloped) {
      output.grad = null;
      const gradients = sloped ? node.joined!({ direct: g, sloped }) : node.backward(g!);
      const claimed = new Set<Float32Array>();
      const owned = new Set<Float32Array>();
      if (g) owned.add(g);
      if (sloped) owned.add(sloped.values);
      node.inputs.forEach((input, i) => {
        const gradient = gradients[i];
        if (!gradient) return;
        owned.add(arrayOf(gradient));
        if (!input.requiresGrad) return;
        if (gradient instanceof Float32Array) {
          // a third term: the first two are added first
          if (input.grad) settle(input, waiting);
          accumulate(input, gradient, claimed);
        } else {
          settle(input, waiting);
          if (joining.has(input)) {
            claimed.add(gradient.values);
            waiting.set(input, gradient);
          } else accumulate(input, multiplied(gradient, input), claimed);
        }
      });
      for (const array of owned) if (!claimed.has(array)) release(array);
    }
    for (const array of node.saved) release(array);
    if (!node.view && output !== loss && output.storage) release(output.storage);
  }
  tape.nodes.length = 0;
}

const arrayOf = (gradient: Float32Array | SlopedGradient) =>
  gradient instanceof Float32Array ? gradient : gradient.values;
