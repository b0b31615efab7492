import type { Structure } from '../methods/method.ts';
import { Module, Parameter } from '../nn/module.ts';
import { sigmoid } from '../tensor/ops/activation.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { Tensor } from '../tensor/tensor.ts';

const scalar = (value: number) => new Parameter(Float32Array.of(value), [1], 'scale');

/** Makes one of a block's branches, counted from 0. */
export type MakeBranch = (branch: number) => Module;

/**
 * Size-keeping options of a 3x3 convolution in a branch: Binary Parallel Atrous Convolution gives each branch its own dilation (Zhuang 2019, sec. 4).
 *
 * @param stage counts from 1
 */
export function branchOptions({ branchDilations }: Structure, stage: number, branch: number) {
  const first = branchDilations?.[stage];
  const dilation = first === undefined ? 1 : first + branch;
  return { kernel: 3, pad: dilation, ...(dilation > 1 ? { dilation } : {}) };
}

/** Several blocks side by side, their factors, and how much each keeps its own output. */
class Group extends Module {
  readonly branches: Module[];
  /** lambda_i of the sum, 1/K at first. */
  readonly factors: Parameter[];
  /** theta_i; half and half at first. */
  readonly gates: Parameter[];

  constructor(branches: Module[], gated: boolean) {
    super();
    this.branches = branches;
    this.factors = branches.map(() => scalar(1 / branches.length));
    this.gates = gated ? branches.map(() => scalar(0)) : [];
  }

  override forward(x: Tensor): Tensor {
    return this.total(this.branches.map((branch) => branch.forward(x)));
  }

  total(outputs: readonly Tensor[]): Tensor {
    return outputs.map((output, i) => sampleScale(output, this.factors[i]!)).reduce(add);
  }

  /** C o_i + (1 - C) total, C = sigmoid(theta_i); a trained gate is a constant. */
  mix(output: Tensor, total: Tensor, i: number): Tensor {
    const theta = this.gates[i]!;
    const share = (sign: 1 | -1) =>
      this.training
        ? sigmoid(scale(theta, sign))
        : new Tensor(Float32Array.of(1 / (1 + Math.exp(-sign * theta.data[0]!))), [1]);
    return add(sampleScale(output, share(1)), sampleScale(total, share(-1)));
  }
}

/**
 * Group-Net: every block is a sum of K binary ones, lambda_1 B_1 + ... + lambda_K B_K; with gates each branch goes on with a learned mix of its
 * own output and the sum.
 *
 * Source: Zhuang et al. 2019 (Group-Net), eq. 4-7; survey [122].
 */
export class BranchedStack extends Module {
  readonly groups: Group[];

  constructor(blocks: readonly MakeBranch[], { count, gated }: NonNullable<Structure['branches']>) {
    super();
    this.groups = blocks.map(
      (make) =>
        new Group(
          Array.from({ length: count }, (_, i) => make(i)),
          gated,
        ),
    );
  }

  override forward(x: Tensor): Tensor {
    return this.steps(x).at(-1)!;
  }

  /** The sum of each block, in order. */
  steps(x: Tensor): Tensor[] {
    let inputs: Tensor[] = this.groups[0]!.branches.map(() => x);
    return this.groups.map((group, place) => {
      const outputs = group.branches.map((branch, i) => branch.forward(inputs[i]!));
      const total = group.total(outputs);
      const gated = group.gates.length > 0 && place + 1 < this.groups.length;
      inputs = outputs.map((output, i) => (gated ? group.mix(output, total, i) : total));
      return total;
    });
  }
}

/** The blocks one after the other, or groups of them where the method asks for branches. */
export function branched(structure: Structure, blocks: readonly MakeBranch[]): Module[] {
  if (!structure.branches || blocks.length === 0) return blocks.map((make) => make(0));
  return [new BranchedStack(blocks, structure.branches)];
}
