import { UsageError } from '../core/errors.ts';
import { listed } from '../core/printable.ts';
import type { Size } from '../nn/binary-layer.ts';
import { Module, Sequential } from '../nn/module.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BranchedStack } from './branches.ts';
import type { Outputs } from './outputs.ts';

/** Maps by their scale: c3 are the last ones of a backbone that lie 8 pixels apart, c<n> those 2^n apart (He et al. 2016; Lin et al. 2017). */
export type TapName = `c${number}`;

/** Maps that a head may build on. */
export interface Tap {
  readonly channels: number;
  /** Height and width. */
  readonly size: Size;
  /** Pixels of the input from one value to the next. */
  readonly stride: number;
}

/** Maps [N,H,W,C] by the names of their taps. */
export type Maps = Readonly<Record<TapName, Tensor>>;

/** What lies behind so many steps of a backbone: a layer is one, and each of its blocks where these are branched. */
export interface Place extends Tap {
  readonly after: number;
}

/** A model without its end: what images become, where heads may tap that, and how the model was published to go on. */
export interface Backbone {
  /** Makes its layers, which draw their weights then; called once. */
  layers(): readonly Module[];
  /** In order; the last one of a stride is its tap. None where maps do not lie on the grid of the image. */
  readonly places: readonly Place[];
  /** Makes the published end: layers from the last maps to so many numbers for each image, [N,outputs]. */
  end(outputs: number): readonly Module[];
  /** The end draws its weights before the blocks do. */
  readonly endFirst?: boolean;
}

/** What a head builds on. */
export class Taps {
  private readonly model: string;
  private readonly backbone: Backbone;
  private readonly byName: ReadonlyMap<TapName, Place>;
  private readonly taken = new Set<TapName>();

  constructor(model: string, backbone: Backbone) {
    this.model = model;
    this.backbone = backbone;
    this.byName = new Map(backbone.places.map((place): [TapName, Place] => [`c${Math.log2(place.stride)}`, place]));
  }

  /** Which there are, the largest maps first. */
  get names(): readonly TapName[] {
    return [...this.byName.keys()];
  }

  /**
   * Maps that the head's module is given. What lies behind the last of them is not built.
   *
   * @throws UsageError when the backbone has none of that scale
   */
  take<N extends TapName>(...names: readonly N[]): Readonly<Record<N, Tap>> {
    const entries = names.map((name) => {
      const place = this.byName.get(name);
      if (!place)
        throw new UsageError(
          `the head builds on ${name}, and ${this.model} has ${listed(this.names) || 'no maps that lie on the grid of the image'}; take another --model, or a head for its maps`,
        );
      this.taken.add(name);
      return [name, place] as const;
    });
    return Object.fromEntries(entries) as unknown as Record<N, Tap>;
  }

  /** The end that the model was published with, but for so many numbers an image: [N,outputs]. Its layers are counted on from those of the backbone. */
  vector(outputs: number): Sequential {
    return new Sequential(this.backbone.end(outputs));
  }

  /** What was taken, by the steps behind which it lies. */
  get places(): ReadonlyMap<number, TapName> {
    return new Map([...this.taken].map((name) => [this.byName.get(name)!.after, name]));
  }
}

const stepsOf = (layer: Module): number => (layer instanceof BranchedStack ? layer.groups.length : 1);
const stepped = (layer: Module, x: Tensor): readonly Tensor[] =>
  layer instanceof BranchedStack ? layer.steps(x) : [layer.forward(x)];

/** A backbone under a head: its layers are called the same under every one. */
class Headed extends Module<Tensor, Outputs> {
  readonly layers: readonly Module[];
  readonly head: Module<Maps, Outputs>;
  private readonly places: ReadonlyMap<number, TapName>;

  constructor(layers: readonly Module[], head: Module<Maps, Outputs>, places: ReadonlyMap<number, TapName>) {
    super();
    const last = Math.max(0, ...places.keys());
    let steps = 0;
    this.layers = layers.filter((layer) => {
      const isBefore = steps < last;
      steps += stepsOf(layer);
      return isBefore;
    });
    if (steps < last)
      throw new UsageError(
        `the backbone says that maps lie behind ${last} of its layers, and has ${steps}; correct its places`,
      );
    this.head = head;
    this.places = places;
  }

  override forward(images: Tensor): Outputs {
    const maps: Record<TapName, Tensor> = {};
    let [x, step] = [images, 0];
    for (const layer of this.layers)
      for (const y of stepped(layer, x)) {
        x = y;
        const name = this.places.get(++step);
        if (name) maps[name] = x;
      }
    return this.head.forward(maps);
  }
}

/** A backbone with what a head has built on it. */
export function headed(backbone: Backbone, build: (taps: Taps) => Sequential | Module<Maps, Outputs>, model: string) {
  const taps = new Taps(model, backbone);
  const before = backbone.endFirst ? null : backbone.layers();
  const end = build(taps);
  const layers = before ?? backbone.layers();
  if (!(end instanceof Sequential)) return new Headed(layers, end, taps.places);
  const taken = [...taps.places.values()];
  if (taken.length > 0)
    throw new UsageError(
      `the head took ${listed(taken)} and gives layers, which follow the last maps; give a module whose forward pass is given the maps by name`,
    );
  return new Sequential([...layers, ...end.layers]);
}

/** Notes where maps lie while a backbone is put together. */
export class Course {
  readonly places: Place[] = [];
  private stride = 1;

  /** Maps lie here. @param steps taken so far @param times as far apart as the maps before */
  note(steps: number, channels: number, size: Size, times = 1): void {
    this.stride *= times;
    this.places.push({ after: steps, channels, size, stride: this.stride });
  }
}
