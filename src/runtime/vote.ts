import { argmax } from '../core/argmax.ts';
import { ShapeError } from '../core/errors.ts';
import type { PackedModel } from './packed-model.ts';
import { bestClasses, type Prediction, probabilities } from './prediction.ts';
import { type Floats, type Pixels, pixelsOf, type Shaped } from './shaped.ts';

/** `soft`: networks vote with their probabilities; `hard`: each for its best class. */
export type Vote = 'soft' | 'hard';

/** A class without a vote gets this share: its logarithm must be a number. */
const leastShare = 1e-7;

/** A float32 that is less, by one or two of its last places. */
const justBelow = (value: number) => value - Math.max(Math.abs(value), 1e-30) * 2 ** -23;

/** What several networks say to a batch of images. */
export class Ballot {
  private readonly classes: number;
  private readonly vote: Vote;
  /** Weighted votes, [N,classes]. */
  private readonly votes: Float64Array;
  /** Weighted logits: they decide between probabilities that are equal when rounded. */
  private readonly sums: Float64Array;

  constructor(images: number, classes: number, vote: Vote) {
    this.classes = classes;
    this.vote = vote;
    this.votes = new Float64Array(images * classes);
    this.sums = new Float64Array(images * classes);
  }

  /**
   * Adds one network's votes.
   *
   * @param logits [N,classes]
   * @param places image of each row; default: rows are images
   */
  cast(logits: Float32Array, weight: number, places?: readonly number[]): void {
    const { classes, vote, votes, sums } = this;
    for (let i = 0; i < logits.length / classes; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const at = (places?.[i] ?? i) * classes;
      if (vote === 'hard') {
        votes[at + argmax(row)]! += weight;
        continue;
      }
      for (const [c, share] of probabilities(row).entries()) {
        votes[at + c]! += weight * share;
        sums[at + c]! += weight * row[c]!;
      }
    }
  }

  /** Logarithms of the shares of all votes, each below those it lost to: the softmax of them is the shares. */
  logits(): Float32Array {
    const logits = new Float32Array(this.votes.length);
    for (let at = 0; at < logits.length; at += this.classes) this.count(at, logits);
    return logits;
  }

  private count(at: number, logits: Float32Array): void {
    const { classes, votes, sums } = this;
    // nobody voted: all classes get the least share
    const total = votes.subarray(at, at + classes).reduce((a, b) => a + b) || 1;
    const against = (a: number, b: number) => votes[b]! - votes[a]! || sums[b]! - sums[a]!;
    const order = Array.from({ length: classes }, (_, c) => at + c).sort((a, b) => against(a, b) || a - b);
    for (const [rank, c] of order.entries()) {
      const value = Math.log(Math.max(votes[c]! / total, leastShare));
      const before = order[rank - 1];
      if (before === undefined) logits[c] = value;
      else logits[c] = Math.min(value, against(before, c) < 0 ? justBelow(logits[before]!) : logits[before]!);
    }
  }
}

/** Several packed networks that vote (BENN: Zhu et al., CVPR 2019; survey [67]). */
export class PackedEnsemble {
  readonly models: readonly PackedModel[];
  readonly weights: readonly number[];
  readonly vote: Vote;

  /** @throws ShapeError when the networks take other images or tell other classes apart, or have no weight each */
  constructor(models: readonly PackedModel[], weights: readonly number[], vote: Vote) {
    const [first] = models;
    if (!first || weights.length !== models.length)
      throw new ShapeError(
        `an ensemble needs a weight per network: got ${models.length} networks and ${weights.length} weights`,
      );
    for (const [i, { graph }] of models.entries()) {
      const sees = ({ input, classes, mean, std }: PackedModel['graph']) => JSON.stringify([input, classes, mean, std]);
      if (sees(graph) !== sees(first.graph))
        throw new ShapeError(
          `network ${i + 1} of the ensemble takes [${graph.input.join(',')}] and tells ${graph.classes.length} classes apart, the first takes [${first.graph.input.join(',')}] and tells ${first.graph.classes.length} apart; to vote together, these, their names and the normalisation of pixels must agree`,
        );
    }
    this.models = models;
    this.weights = weights;
    this.vote = vote;
  }

  /** Input and classes, those of every network. */
  get graph(): PackedModel['graph'] {
    return this.models[0]!.graph;
  }

  /**
   * Logarithms of the shares of the votes.
   *
   * @param images normalised floats [N,H,W,C]; given with their shape, it is checked
   * @returns [N,classes]
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image
   */
  run(images: Floats | Shaped<Floats>): Float32Array {
    const classes = this.graph.classes.length;
    const answers = this.models.map((model) => model.run(images));
    const ballot = new Ballot(answers[0]!.length / classes, classes, this.vote);
    for (const [i, logits] of answers.entries()) ballot.cast(logits, this.weights[i]!);
    return ballot.logits();
  }

  /** The classes with most votes for every image, best first. @param pixels 0..255, [N,H,W,C]; given with their shape, it is checked */
  predict(pixels: Pixels | Shaped<Pixels>, top = 5): Prediction[][] {
    return bestClasses(
      this.run(this.models[0]!.normalise(pixelsOf(pixels, this.graph.input))),
      this.graph.classes,
      top,
    );
  }
}
