import { UsageError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import type { ModelImages } from '../data/fit-model.ts';
import type { Method } from '../methods/method.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import { buildNetwork, type OwnParts, withMethod } from '../models/table.ts';
import { binaryLayersOf } from '../nn/binary-layer.ts';
import { imagesOf } from './data-of.ts';
import { checkpointOf, loadTrained } from './load-network.ts';
import type { House } from './plugin.ts';

/** The trained network of a run folder, or of its checkpoint file. @throws UsageError when there is none */
export function trainedNetwork(path: string, option: string, own?: House): { network: Network; images: ModelImages } {
  const file = checkpointOf(path);
  if (!file) throw new UsageError(`${option}: no run at ${path}; give a run folder or a checkpoint file`);
  const { network, checkpoint } = loadTrained(file, undefined, true, own);
  return { network, images: imagesOf(checkpoint) };
}

/** @throws UsageError when there is no such run */
export function requireTeacher(path: string): void {
  if (!checkpointOf(path)) throw new UsageError(`--teacher: no run at ${path}; give a run folder or a checkpoint file`);
}

/**
 * The network that a method learns from: a trained one, or a float one of the same shape that learns beside the student; null when the
 * method has none, or can do without and none is given.
 *
 * @param data the images that both will see
 * @param companion what a network that learns along was, of a run that is continued
 * @param own what names may mean, and heads that a network that learns along may end with
 * @throws UsageError when the method needs a trained one, or the teacher is for other images
 */
export function teacherFor(
  method: Method,
  student: Network,
  path: string | undefined,
  data?: Pick<DataSet, 'classes' | 'mean' | 'std'>,
  companion: Pick<NetworkConfig, 'revision' | 'structure'> = {},
  own?: House & OwnParts,
): Network | null {
  if (method.teacher === 'joint')
    return buildNetwork(
      { ...withMethod(student.config, 'float'), ...companion, tricks: undefined, policy: undefined },
      undefined,
      own,
    );
  if (!path) {
    if (method.teacher !== 'trained') return null;
    throw new UsageError(
      `method "${method.id}" learns from a trained network: train one with \`signum train --method float --model ${student.config.model} ...\` and pass --teacher <its run>`,
    );
  }
  if (!method.teacher) throw new UsageError(`method "${method.id}" has no teacher; drop --teacher`);
  const { network: teacher, images } = trainedNetwork(path, '--teacher', own);
  const [ours, theirs] = [student.config, teacher.config];
  if (ours.classes !== theirs.classes || ours.inputShape.join() !== theirs.inputShape.join())
    throw new UsageError(
      `--teacher ${path}: it classifies [${theirs.inputShape.join(',')}] images into ${theirs.classes} classes, the student [${ours.inputShape.join(',')}] into ${ours.classes}`,
    );
  const sees = (of: Pick<DataSet, 'classes' | 'mean' | 'std'>) => JSON.stringify([of.classes, of.mean, of.std]);
  if (data && sees(data) !== sees(images))
    throw new UsageError(
      `--teacher ${path}: it has its classes in another order than the images, or sees them normalised otherwise; \`trainRun\` and \`trainingData\` give images as the teacher sees them`,
    );
  teacher.setTraining(false);
  return teacher;
}

/**
 * Copies the weights and statistics that both networks have under the same name and size: a float network starts a binary one.
 *
 * @throws UsageError when not even the binary layers agree
 */
export function adopt(network: Network, source: Network): void {
  const available = new Map(
    [...source.parameters(), ...source.stateArrays()].map(({ name, value }) => [name, value.data] as const),
  );
  const latents = new Set<unknown>(binaryLayersOf(network).map(({ value }) => value.weight));
  const copy = () => {
    let layers = 0;
    for (const { name, value } of [...network.parameters(), ...network.stateArrays()]) {
      const data = available.get(name);
      if (data?.length !== value.data.length) continue;
      value.data.set(data);
      if (latents.has(value)) layers++;
    }
    return layers;
  };
  // what quantizers learn starts from the weights that were copied, unless the source has learned it already
  const adopted = copy();
  network.startQuantizers();
  copy();
  if (adopted === 0)
    throw new UsageError(
      `--init: a ${source.config.model} of width ${source.config.width} has no layer of this ${network.config.model} of width ${network.config.width}`,
    );
}
