import { UsageError } from '../core/errors.ts';
import { listed, quoted } from '../core/printable.ts';
import { sizeOf } from '../core/shape.ts';
import { breather } from './breather.ts';
import type { ExecutedModel, Executor, InputValues } from './executor.ts';
import { usualResize } from './graph.ts';
import { type Decode, type Images, readImages } from './images.ts';
import type { Prediction } from './prediction.ts';
import { type Floats, floatsOf, type Shaped } from './shaped.ts';
import { classification } from './tasks/classification.ts';
import { answerTo, placeOf, type TaskDecoder } from './tasks/decoder.ts';

/** When a call may stop. */
export interface RunOptions {
  /** Ends the wait, and the work where it can be ended. */
  readonly signal?: AbortSignal | undefined;
}

/** How many classes `predict` gives, and when it may stop. */
export interface PredictOptions extends RunOptions {
  /** Classes of each picture, in a classification; default 5. */
  readonly top?: number | undefined;
  /** What decoders of other tasks take. */
  readonly [option: string]: unknown;
}

/** What a model is made with beside what runs it. */
export interface ModelParts {
  /** It ends with the model. */
  readonly own?: Executor | undefined;
  readonly decode?: Decode | undefined;
  /** Decoders beside that of classification. */
  readonly tasks?: readonly TaskDecoder[] | undefined;
}

/** A packed network as an application has it: pictures in, answers out, computed elsewhere. Made by `load`. */
export class LoadedModel {
  private readonly model: ExecutedModel;
  private readonly parts: ModelParts;

  constructor(model: ExecutedModel, parts: ModelParts = {}) {
    this.model = model;
    this.parts = parts;
  }

  /** What the network is: its inputs and outputs, its task, its ops. */
  get graph(): ExecutedModel['graph'] {
    return this.model.graph;
  }

  /** What it takes to run one image. */
  get memory(): ExecutedModel['memory'] {
    return this.model.memory;
  }

  /** What packing proved; null in files that do not say. */
  get proof(): ExecutedModel['proof'] {
    return this.model.proof;
  }

  private async valuesOf(images: Images, place: number, signal: AbortSignal | undefined): Promise<InputValues> {
    const { input, inputs } = this.graph;
    const { shape, picture } = inputs[place]!;
    // numbers of any shape, which the network itself counts
    if (!picture) return floatsOf(images as Floats | Shaped<Floats>, shape);
    const [height, width, channels] = (place === 0 ? input : shape) as [number, number, number];
    const { resize = usualResize } = picture;
    return readImages(images, { shape: [height, width, channels], resize, decode: this.parts.decode, signal });
  }

  private async compute(
    images: readonly Images[],
    signal: AbortSignal | undefined,
  ): Promise<{ outputs: Float32Array[]; count: number }> {
    const values = await Promise.all(images.map((one, place) => this.valuesOf(one, place, signal)));
    const { shape, rows = 1 } = this.graph.inputs[0]!;
    const outputs = await this.model.run(values, signal);
    return { outputs, count: values[0]!.length / (sizeOf(shape) * rows) };
  }

  private onlyInput(call: string): void {
    const { inputs } = this.graph;
    if (inputs.length > 1)
      throw new UsageError(
        `${call}: this network takes ${listed(inputs.map(({ name }) => name))}; give them to runAll by name`,
      );
  }

  /**
   * The first output for a batch: logits [N,classes] of a classification.
   *
   * @param images one or many; arrays must not change until the promise settles
   * @returns the caller's own
   * @throws ShapeError for arrays of another size, DataError for pictures that cannot be read, WorkerError when the thread ends, UsageError after
   *   `dispose` and for a network of several inputs, the signal's reason when it is aborted
   */
  async run(images: Images, { signal }: RunOptions = {}): Promise<Float32Array> {
    this.onlyInput('run');
    const { outputs } = await this.compute([images], signal);
    return outputs[0]!;
  }

  /**
   * All outputs by name, for a batch of all inputs by name. As `run` otherwise.
   *
   * @throws UsageError when an input is missing
   */
  async runAll(
    inputs: Readonly<Record<string, Images>>,
    { signal }: RunOptions = {},
  ): Promise<Record<string, Float32Array>> {
    const given = this.graph.inputs.map(({ name }) => {
      if (Object.hasOwn(inputs, name)) return inputs[name]!;
      throw new UsageError(`runAll: no input ${quoted(name)}; got ${listed(Object.keys(inputs)) || 'none'}`);
    });
    const { outputs } = await this.compute(given, signal);
    return Object.fromEntries(this.graph.outputs.map(({ name }, i) => [name, outputs[i]!]));
  }

  /**
   * The answer for every picture: of a classification its most probable classes, best first. As `run` otherwise.
   *
   * @param images pictures of another size are turned upright, scaled and cropped as in training
   * @throws UsageError when no decoder of the network's task was given to `load`
   */
  async predict<Answer = Prediction[]>(images: Images, options: PredictOptions = {}): Promise<Answer[]> {
    this.onlyInput('predict');
    const { graph } = this;
    const task = [classification, ...(this.parts.tasks ?? [])].find(({ id }) => id === graph.task.id);
    if (!task)
      throw new UsageError(
        `predict: this network is for ${quoted(graph.task.id)}; give its decoder to load as { tasks: [...] }, or take the outputs of runAll`,
      );
    const { outputs, count } = await this.compute([images], options.signal);
    const breathe = breather();
    const answers: Answer[] = [];
    const named = Object.fromEntries(graph.outputs.map(({ name }, i) => [name, outputs[i]!]));
    for (let i = 0; i < count; i++) {
      answers.push(task.decode(answerTo(named, i, count), placeOf(graph), options) as Answer);
      await breathe();
    }
    return answers;
  }

  /** Frees the model and the threads that it has for itself. What was not answered is rejected, later calls are refused. */
  dispose(): void {
    this.model.dispose();
    this.parts.own?.dispose();
  }
}
