import { kernels } from '../../backend/select.ts';
import { convGeometry } from '../../core/conv-geometry.ts';
import { UsageError } from '../../core/errors.ts';
import { readSafetensors } from '../../core/safetensors.ts';
import { sizeOf } from '../../core/shape.ts';
import { Batches } from '../../data/batches.ts';
import { type DataSet, sampleOf } from '../../data/dataset.ts';
import { fitToModel } from '../../data/fit-model.ts';
import type { PackedNode } from '../../runtime/graph.ts';
import type { PackedOp } from '../../runtime/op.ts';
import { loadPackedModel, type NodeObserver, type PackedModel } from '../../runtime/packed-model.ts';
import { evaluate } from '../../train/evaluate.ts';
import { packedImages } from '../packed-evaluation.ts';
import { lowBitCopy } from './low-bit.ts';

type NodeOf<O extends PackedNode['op']> = Extract<PackedNode, { op: O }>;
type PoolNode = Extract<PackedNode, { window: number }>;

/** A float convolution whose output only a ReLU reads, possibly after max-pooling: most of it may never be needed. */
interface Site {
  readonly conv: NodeOf<'conv2d'>;
  readonly pool: PoolNode | null;
  /** Batch-norm, shortcut and ReLU. */
  readonly relu: NodeOf<'affine'>;
  readonly filter: Float32Array;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** What the prediction was worth at one convolution. */
export interface SiteSparsity {
  readonly layer: string;
  /** Share of the ReLU's outputs that are 0. */
  readonly zeros: number;
  /** Of the outputs predicted positive, and of the positive outputs, the share that is both. */
  readonly precision: number;
  readonly recall: number;
  /** Of the pooling windows, the share whose winner was foreseen; null without pooling. */
  readonly winners: number | null;
  /** Float MACs per image, and how many of them the prediction leaves to do. */
  readonly macs: number;
  readonly macsLeft: number;
}

export interface Sparsity {
  readonly bits: number;
  readonly accuracy: number;
  readonly predictedAccuracy: number;
  readonly sites: readonly SiteSparsity[];
  /** Float MACs of the whole network, and of those what is left; the predictor's own, in `bits` bits, come on top. */
  readonly macs: number;
  readonly macsLeft: number;
}

interface Counts {
  outputs: number;
  positive: number;
  predicted: number;
  both: number;
  windows: number;
  foreseen: number;
}

function readersOf(nodes: readonly PackedNode[], value: number): PackedNode[] {
  return nodes.filter(({ inputs }) => inputs.includes(value));
}

const isRelu = (node: PackedNode | undefined): node is NodeOf<'affine'> =>
  node?.op === 'affine' && Number(node.low) === 0 && node.high === 'inf';

function sitesOf(model: PackedModel, bytes: Uint8Array): Site[] {
  const { nodes } = model.graph;
  const { tensors } = readSafetensors(bytes);
  const floats = (name: string) => tensors.get(name)!.data as Float32Array;
  return nodes.flatMap((conv): Site[] => {
    if (conv.op !== 'conv2d' || conv.codeScale) return [];
    const [reader, ...others] = readersOf(nodes, conv.output);
    if (!reader || others.length > 0) return [];
    const pool = reader.op === 'maxPool' && reader.pad === 0 ? reader : null;
    const [relu, ...more] = pool ? readersOf(nodes, pool.output) : [reader];
    // the shortcut is known before the product is: only as its first input is a convolution in question
    if (!isRelu(relu) || more.length > 0 || relu.inputs[0] !== (pool ?? conv).output) return [];
    const filter = floats(conv.filter);
    return [{ conv, pool, relu, filter, scale: floats(relu.scale), shift: floats(relu.shift) }];
  });
}

/** Runs a float network with a low-bit copy ahead of every convolution that says which outputs will matter. */
export class SparsityBench {
  private readonly model: PackedModel;
  private readonly sites: readonly Site[];
  private readonly bits: number;
  private readonly counts: Map<Site, Counts>;
  private readonly filters: Map<Site, Float32Array>;

  /**
   * @param bytes of a packed float network
   * @param bits of the predictor, 1 to 8
   * @param ops of others that it may have
   * @throws UsageError when no convolution leads to a ReLU, or for other bits
   */
  constructor(bytes: Uint8Array, bits: number, ops?: readonly PackedOp[]) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 8)
      throw new UsageError(`a predictor of ${bits} bits; expected a whole number from 1 to 8`);
    this.bits = bits;
    this.model = loadPackedModel(bytes, { ops });
    this.sites = sitesOf(this.model, bytes);
    if (this.sites.length === 0)
      throw new UsageError(
        `${this.model.graph.model} by ${this.model.graph.method} has no float convolution before a ReLU, whose zeros could be foreseen; take a run of method float`,
      );
    this.counts = new Map(
      this.sites.map((site) => [site, { outputs: 0, positive: 0, predicted: 0, both: 0, windows: 0, foreseen: 0 }]),
    );
    this.filters = new Map(this.sites.map((site) => [site, lowBitCopy(site.filter, bits)]));
  }

  /**
   * Logits of a batch with only the predicted outputs kept; all others are 0.
   *
   * @param images [N,H,W,C]
   * @param observe sees every node's output as it goes on
   */
  run(images: Float32Array, observe?: NodeObserver): Float32Array {
    const batch = images.length / sizeOf(this.model.graph.input);
    const values = new Map<number, Float32Array>([[0, images]]);
    const predictions = new Map<number, Float32Array>();
    const byOutput = new Map<number, Site>();
    for (const site of this.sites)
      for (const node of [site.conv, site.pool, site.relu]) if (node) byOutput.set(node.output, site);
    const foresee: NodeObserver = (node, value) => {
      const site = byOutput.get(node.output);
      if (!site) return;
      if (node === site.conv) predictions.set(node.output, this.predict(site, values.get(node.inputs[0]!)!, batch));
      else if (node === site.pool) {
        const [product, predicted] = [values.get(site.conv.output)!, predictions.get(site.conv.output)!];
        predictions.set(node.output, this.pickWinners(site, product, predicted, value.floats, batch));
      } else this.keepPositive(site, predictions.get(node.inputs[0]!)!, values.get(node.inputs[1] ?? -1), value.floats);
    };
    return this.model.run(images, (node, value, milliseconds) => {
      values.set(node.output, value.floats);
      foresee(node, value, milliseconds);
      observe?.(node, value, milliseconds);
    });
  }

  private predict(site: Site, input: Float32Array, batch: number): Float32Array {
    const { conv } = site;
    const shape = this.imageOf(conv.inputs[0]!);
    const filter = [...conv.kernel, shape[2] / conv.groups, conv.shape.at(-1)!];
    const geometry = convGeometry(conv.name, [batch, ...shape], filter, conv);
    const y = new Float32Array(batch * sizeOf(conv.shape));
    kernels().conv2d(lowBitCopy(input, this.bits), this.filters.get(site)!, y, geometry);
    return y;
  }

  /** Of a value as an image; a vector, as dense layers have it, is one pixel. */
  private imageOf(value: number): [number, number, number] {
    const { nodes, input } = this.model.graph;
    const { shape } = nodes.find(({ output }) => output === value) ?? { shape: input };
    return shape.length === 1 ? [1, 1, shape[0]!] : (shape as [number, number, number]);
  }

  /** Overwrites a pooled map by what stands at the predicted winners; returns what the predictor expects there. */
  private pickWinners(
    { conv, pool: layer }: Site,
    product: Float32Array,
    predicted: Float32Array,
    pooled: Float32Array,
    batch: number,
  ): Float32Array {
    const counts = this.counts.get(this.sites.find((site) => site.conv === conv)!)!;
    const [height, width, channels] = conv.shape as [number, number, number];
    const { shape, window, stride } = layer!;
    const [outHeight, outWidth] = shape as [number, number];
    const expected = new Float32Array(pooled.length);
    for (let at = 0; at < pooled.length; at++) {
      const c = at % channels;
      const pixel = Math.floor(at / channels);
      const [n, y, x] = [
        Math.floor(pixel / (outHeight * outWidth)),
        Math.floor(pixel / outWidth) % outHeight,
        pixel % outWidth,
      ];
      let winner = -1;
      for (let dy = 0; dy < window; dy++)
        for (let dx = 0; dx < window; dx++) {
          const place = ((n * height + y * stride + dy) * width + x * stride + dx) * channels + c;
          if (winner < 0 || predicted[place]! > predicted[winner]!) winner = place;
        }
      if (product[winner] === pooled[at]) counts.foreseen++;
      pooled[at] = product[winner]!;
      expected[at] = predicted[winner]!;
    }
    counts.windows += batch * sizeOf(shape);
    return expected;
  }

  /** Sets to 0 what is not predicted positive. */
  private keepPositive(site: Site, predicted: Float32Array, shortcut: Float32Array | undefined, y: Float32Array): void {
    const counts = this.counts.get(site)!;
    const { scale, shift } = site;
    for (let i = 0; i < y.length; i++) {
      const c = i % scale.length;
      const kept = predicted[i]! * scale[c]! + shift[c]! + (shortcut?.[i] ?? 0) > 0;
      const positive = y[i]! > 0;
      if (positive) counts.positive++;
      if (kept) counts.predicted++;
      else y[i] = 0;
      if (kept && positive) counts.both++;
    }
    counts.outputs += y.length;
  }

  /** Accuracy with and without the prediction, and what it saves, on the test images or `limit` of them. */
  async measure(data: DataSet, limit = Number.POSITIVE_INFINITY): Promise<Sparsity> {
    const { data: fitted } = fitToModel(data, packedImages(this.model), 'evaluate');
    const batches = new Batches(fitted, sampleOf(fitted.test, limit), 128);
    const { top1: accuracy } = await evaluate((images) => this.model.run(images), batches, fitted.classes.length);
    const predicted = await evaluate((images) => this.run(images), batches, fitted.classes.length);
    const sites = this.sites.map((site) => this.siteSparsity(site));
    const macs = this.model.graph.nodes.reduce((sum, node) => sum + this.macsOf(node), 0);
    const saved = sites.reduce((sum, site) => sum + site.macs - site.macsLeft, 0);
    return { bits: this.bits, accuracy, predictedAccuracy: predicted.top1, sites, macs, macsLeft: macs - saved };
  }

  private macsOf(node: PackedNode): number {
    const inputs = this.imageOf(node.inputs[0]!);
    if (node.op === 'dense') return sizeOf(inputs) * sizeOf(node.shape);
    if (node.op !== 'conv2d') return 0;
    return (sizeOf(node.shape) * node.kernel[0] * node.kernel[1] * inputs[2]) / node.groups;
  }

  private siteSparsity(site: Site): SiteSparsity {
    const { outputs, positive, predicted, both, windows, foreseen } = this.counts.get(site)!;
    const macs = this.macsOf(site.conv);
    // one product for each output that is kept, where pooling would have taken a window of them
    const share = predicted / outputs / (sizeOf(site.conv.shape) / sizeOf(site.relu.shape));
    return {
      layer: site.conv.name,
      zeros: 1 - positive / outputs,
      precision: predicted > 0 ? both / predicted : 1,
      recall: positive > 0 ? both / positive : 1,
      winners: site.pool ? foreseen / windows : null,
      macs,
      macsLeft: macs * share,
    };
  }
}
