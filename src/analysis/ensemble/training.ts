import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { argmax } from '../../core/argmax.ts';
import { InterruptError, PackError, UsageError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Batches } from '../../data/batches.ts';
import { type DataSet, imagesOf, type Split, sampleOf } from '../../data/dataset.ts';
import type { Network } from '../../models/network.ts';
import { Ballot } from '../../runtime/vote.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { readCheckpoint } from '../../train/checkpoint.ts';
import type { TrainConfig } from '../../train/config.ts';
import { trainingData } from '../../train/data-of.ts';
import { loadTrained } from '../../train/load-network.ts';
import { pause } from '../../train/pause.ts';
import type { House } from '../../train/plugin.ts';
import { taskOf, tellsClasses } from '../../train/purpose.ts';
import { trainRun } from '../../train/run.ts';
import type { RunEvents } from '../../train/run-events.ts';
import { RunFolder } from '../../train/run-folder.ts';
import { ensembleFile, packedFile } from '../file-names.ts';
import { packForData } from '../packed-evaluation.ts';
import { boost, drawn } from './boosting.ts';
import type { Ensemble, Member } from './ensemble.ts';

export interface EnsembleEvents {
  readonly onMember: (place: number, of: number) => RunEvents;
  readonly onTrained: (member: Member, place: number) => void;
}

/** What a network says of the images of a split that can be decoded. */
interface Answers {
  /** [images,classes] */
  readonly logits: Float32Array;
  /** Where in the split each image lies. */
  readonly places: readonly number[];
}

async function answersOn(network: Network, data: DataSet, split: Split): Promise<Answers> {
  const logits = new Float32Array(split.count * data.classes.length);
  const places: number[] = [];
  const batches = new Batches(data, split, 256);
  network.setTraining(false);
  for (let b = 0; b < batches.length; b++) {
    await pause();
    const { images, count, places: seen } = await batches.plain(b);
    if (count === 0) continue;
    const at = places.length * data.classes.length;
    inference(() => logits.set(network.forward(new Tensor(images, [count, ...data.shape])).data, at));
    places.push(...seen);
  }
  return { logits: logits.subarray(0, places.length * data.classes.length), places };
}

const bestOf = (logits: Float32Array, row: number, classes: number): number =>
  argmax(logits.subarray(row * classes, (row + 1) * classes));

/** Trains what is left of an ensemble in `folder`; one network after the other, each packed as far as its method packs. */
export class EnsembleTraining {
  private readonly folder: string;
  private readonly data: DataSet;
  private readonly ensemble: Ensemble;
  private readonly importance: Float64Array;
  private readonly ballot: Ballot;
  /** How the images differ from what networks trained before are for. */
  readonly notes: readonly string[];

  private readonly house: House;

  constructor(folder: string, ensemble: Ensemble, data: DataSet, house: House = {}) {
    this.folder = folder;
    this.house = house;
    this.ensemble = ensemble;
    const { limit = Number.POSITIVE_INFINITY, validation } = ensemble.training;
    if (validation !== undefined)
      throw new UsageError(
        `--validation ${validation}: the networks of an ensemble learn from samples that repeat images, of which none can be held back; leave it out`,
      );
    const task = taskOf(ensemble.training, house);
    if (!tellsClasses(task))
      throw new UsageError(
        `--task ${task.id}: an ensemble votes on the classes of images, and this task has none; train one network`,
      );
    const begun = join(folder, 'member-1', 'checkpoint.safetensors');
    const first = existsSync(begun) ? readCheckpoint(begun) : null;
    // all members see the images as the first one does
    const { data: fitted, notes } = trainingData(ensemble.training, data, first);
    this.notes = notes;
    const [train, test] = [sampleOf(fitted.train, limit), sampleOf(fitted.test, limit)];
    this.data = { ...fitted, train, test };
    this.importance = new Float64Array(train.count).fill(1 / train.count);
    this.ballot = new Ballot(test.count, data.classes.length, ensemble.vote);
  }

  /** @returns the finished ensemble; null when Ctrl-C stopped it */
  async run(events: EnsembleEvents): Promise<Ensemble | null> {
    const own = new RunFolder(this.folder);
    try {
      return await own.whileLocked(() => this.trainMembers(own, events));
    } catch (error) {
      if (error instanceof InterruptError) return null;
      throw error;
    }
  }

  private async trainMembers(own: RunFolder, events: EnsembleEvents): Promise<Ensemble | null> {
    const save = () => own.write(ensembleFile, `${JSON.stringify(this.ensemble, null, 2)}\n`);
    for (const { folder } of this.ensemble.members)
      await this.count(loadTrained(join(this.folder, folder), undefined, true, this.house).network);
    const { members, size } = this.ensemble;
    save();
    while (members.length < size) {
      const trained = await this.train(members.length + 1, events);
      if (!trained) return null;
      members.push(trained);
      save();
      events.onTrained(trained, members.length);
    }
    return this.ensemble;
  }

  private configOf(place: number): TrainConfig {
    const { training, sequential } = this.ensemble;
    const init = sequential && place > 1 ? { init: join(this.folder, `member-${place - 1}`) } : {};
    return { ...training, ...init, seed: training.seed + place - 1 };
  }

  private async train(place: number, events: EnsembleEvents): Promise<Member | null> {
    const name = `member-${place}`;
    const folder = new RunFolder(join(this.folder, name));
    const config = this.configOf(place);
    const places = drawn(this.importance, new Random(config.seed).fork(place));
    const data = { ...this.data, train: imagesOf(this.data.train, places) };
    const on = events.onMember(place, this.ensemble.size);
    return folder.whileLocked(async () => {
      const run = await trainRun(folder, config, data, { ...this.house, existing: 'resume', ...on });
      const { accuracy, finished, interrupted, network } = run;
      if (!finished || interrupted) return null;
      const packedBytes = await this.pack(network, folder);
      return { folder: name, accuracy, packedBytes, ...(await this.count(network)) };
    });
  }

  private async pack(network: Network, folder: RunFolder): Promise<number | null> {
    try {
      const { bytes } = await packForData(network, this.data, {
        ops: this.house.ops,
        task: taskOf(this.ensemble.training, this.house),
      });
      folder.write(packedFile, bytes);
      return bytes.length;
    } catch (error) {
      if (error instanceof PackError) return null;
      throw error;
    }
  }

  private async boost(network: Network): Promise<number> {
    const { train, classes } = this.data;
    const { logits, places } = await answersOn(network, this.data, train);
    // images that cannot be decoded teach nothing: they gain no importance
    const right = new Array<boolean>(train.count).fill(true);
    places.forEach((place, i) => {
      right[place] = bestOf(logits, i, classes.length) === train.labels[place];
    });
    return boost(this.importance, right, classes.length);
  }

  /** Gives a trained network its weight, and adds its votes on the test images to those so far. */
  private async count(network: Network): Promise<Pick<Member, 'weight' | 'voteAccuracy'>> {
    const { data, ballot, ensemble } = this;
    const classes = data.classes.length;
    const weight = ensemble.form === 'bagging' ? 1 : await this.boost(network);
    const { logits, places } = await answersOn(network, data, data.test);
    ballot.cast(logits, weight, places);
    const votes = ballot.logits();
    const right = places.filter((place) => bestOf(votes, place, classes) === data.test.labels[place]);
    return { weight, voteAccuracy: right.length / places.length };
  }
}
