import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { argmax } from '../../core/argmax.ts';
import { PackError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Batches } from '../../data/batches.ts';
import { type DataSet, imagesOf, type Split, sampleOf } from '../../data/dataset.ts';
import { writeFileAtomic } from '../../data/files.ts';
import type { Network } from '../../models/network.ts';
import { castVotes, voteLogits } from '../../runtime/vote.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { TrainConfig } from '../../train/config.ts';
import { loadTrained } from '../../train/load-network.ts';
import { trainRun } from '../../train/run.ts';
import { RunFolder } from '../../train/run-folder.ts';
import type { TrainEvents } from '../../train/trainer.ts';
import { packedFile, packForData } from '../packed-evaluation.ts';
import { boost, drawn } from './boosting.ts';
import { type Ensemble, ensembleFile, type Member } from './ensemble.ts';

export interface EnsembleEvents {
  readonly onMember: (place: number, of: number) => Pick<TrainEvents, 'onStep' | 'onEpoch'>;
  readonly onTrained: (member: Member, place: number) => void;
}

/** Logits [N,classes] on the images of a split. */
async function logitsOn(network: Network, data: DataSet, split: Split): Promise<Float32Array> {
  const classes = data.classes.length;
  const logits = new Float32Array(split.count * classes);
  const batches = new Batches(data, split, 256);
  network.setTraining(false);
  for (let b = 0, at = 0; b < batches.length; b++) {
    const { images, count } = await batches.plain(b);
    inference(() => logits.set(network.forward(new Tensor(images, [count, ...data.shape])).data, at));
    at += count * classes;
  }
  return logits;
}

/** Whether each image's class is the most probable one. */
function named(logits: Float32Array, labels: Uint16Array, classes: number): boolean[] {
  return Array.from(labels, (label, i) => argmax(logits.subarray(i * classes, (i + 1) * classes)) === label);
}

/** Trains what is left of an ensemble in `folder`; one network after the other, each packed as far as its method packs. */
export class EnsembleTraining {
  private readonly folder: string;
  private readonly data: DataSet;
  private readonly ensemble: Ensemble;
  private readonly importance: Float64Array;
  private readonly votes: Float64Array;

  constructor(folder: string, ensemble: Ensemble, data: DataSet) {
    this.folder = folder;
    this.ensemble = ensemble;
    const { limit = Number.POSITIVE_INFINITY } = ensemble.training;
    const [train, test] = [sampleOf(data.train, limit), sampleOf(data.test, limit)];
    this.data = { ...data, train, test };
    this.importance = new Float64Array(train.count).fill(1 / train.count);
    this.votes = new Float64Array(test.count * data.classes.length);
  }

  /** @returns the finished ensemble; null when Ctrl-C stopped it */
  async run(events: EnsembleEvents): Promise<Ensemble | null> {
    for (const { folder } of this.ensemble.members) await this.count(loadTrained(join(this.folder, folder)).network);
    const { members, size } = this.ensemble;
    this.save();
    while (members.length < size) {
      const trained = await this.train(members.length + 1, events);
      if (!trained) return null;
      members.push(trained);
      this.save();
      events.onTrained(trained, members.length);
    }
    return this.ensemble;
  }

  private save(): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileAtomic(join(this.folder, ensembleFile), `${JSON.stringify(this.ensemble, null, 2)}\n`);
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
    const run = await trainRun(folder, config, data, { existing: 'resume', ...on });
    const { accuracy, finished, interrupted, network } = run;
    if (!finished || interrupted) return null;
    const packedBytes = await this.pack(network, folder);
    return { folder: name, accuracy, packedBytes, ...(await this.count(network)) };
  }

  private async pack(network: Network, folder: RunFolder): Promise<number | null> {
    try {
      const { bytes } = await packForData(network, this.data);
      writeFileAtomic(folder.file(packedFile), bytes);
      return bytes.length;
    } catch (error) {
      if (error instanceof PackError) return null;
      throw error;
    }
  }

  private async boost(network: Network): Promise<number> {
    const { train, classes } = this.data;
    const logits = await logitsOn(network, this.data, train);
    return boost(this.importance, named(logits, train.labels, classes.length), classes.length);
  }

  /** Gives a trained network its weight, and adds its votes on the test images to those so far. */
  private async count(network: Network): Promise<Pick<Member, 'weight' | 'voteAccuracy'>> {
    const { data, votes, ensemble } = this;
    const classes = data.classes.length;
    const weight = ensemble.form === 'bagging' ? 1 : await this.boost(network);
    castVotes(await logitsOn(network, data, data.test), weight, ensemble.vote, classes, votes);
    const right = named(voteLogits(votes, classes), data.test.labels, classes);
    return { weight, voteAccuracy: right.filter(Boolean).length / right.length };
  }
}
