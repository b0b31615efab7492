import { ShapeError } from '../core/errors.ts';
import type { PackedModel } from './packed-model.ts';
import { bestClasses, type Prediction, probabilities } from './prediction.ts';
import { type Shaped, valuesOf } from './shaped.ts';

/** `soft`: networks vote with their probabilities; `hard`: each for its best class. */
export type Vote = 'soft' | 'hard';

/** A class without a vote gets this share: its logarithm must be a number. */
const leastShare = 1e-7;

/** Adds one network's weighted votes on a batch. @param logits [N,classes] @param votes [N,classes] */
export function castVotes(
  logits: Float32Array,
  weight: number,
  vote: Vote,
  classes: number,
  votes: Float64Array,
): void {
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    if (vote === 'soft')
      probabilities(row).forEach((p, c) => {
        votes[at + c]! += weight * p;
      });
    else votes[at + row.indexOf(row.reduce((a, b) => Math.max(a, b)))]! += weight;
  }
}

/** Logarithms of the shares of all votes: the softmax of them is the shares. @param votes [N,classes] */
export function voteLogits(votes: Float64Array, classes: number): Float32Array {
  const logits = new Float32Array(votes.length);
  for (let at = 0; at < votes.length; at += classes) {
    // nobody voted: all classes get the least share
    const total = votes.subarray(at, at + classes).reduce((a, b) => a + b) || 1;
    for (let c = 0; c < classes; c++) logits[at + c] = Math.log(Math.max(votes[at + c]! / total, leastShare));
  }
  return logits;
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
  run(images: Float32Array | Shaped<Float32Array>): Float32Array {
    const classes = this.graph.classes.length;
    let votes: Float64Array | undefined;
    for (const [i, model] of this.models.entries()) {
      const logits = model.run(images);
      votes ??= new Float64Array(logits.length);
      castVotes(logits, this.weights[i]!, this.vote, classes, votes);
    }
    return voteLogits(votes!, classes);
  }

  /** The classes with most votes for every image, best first. @param pixels 0..255, [N,H,W,C]; given with their shape, it is checked */
  predict(pixels: Uint8Array | Shaped<Uint8Array>, top = 5): Prediction[][] {
    return bestClasses(
      this.run(this.models[0]!.normalise(valuesOf(pixels, this.graph.input))),
      this.graph.classes,
      top,
    );
  }
}
