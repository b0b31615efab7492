import { argmax } from '../../core/argmax.ts';
import { UsageError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Batches } from '../../data/batches.ts';
import { type DataSet, sampleOf } from '../../data/dataset.ts';
import type { Network } from '../../models/network.ts';
import { buildNetwork, type OwnParts } from '../../models/table.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { pause } from '../../train/pause.ts';
import { adopt } from '../../train/teacher.ts';
import { type Attack, fgsm, gaussianNoise, PixelRange, pgd } from './attacks.ts';

export interface Robustness {
  readonly images: number;
  readonly clean: number;
  /** Accuracy under each disturbance, by its strength as a share of the pixel range. */
  readonly under: readonly {
    readonly attack: AttackName;
    readonly strength: number;
    readonly accuracy: number;
  }[];
}

export type AttackName = 'noise' | 'fgsm' | 'pgd';

/** Growing strengths: standard deviations of the noise, and steps of 1/255 for attacks. */
export const strengths: Readonly<Record<AttackName, readonly number[]>> = {
  noise: [0.02, 0.05, 0.1, 0.2],
  fgsm: [1, 2, 4, 8].map((levels) => levels / 255),
  pgd: [1, 2, 4, 8].map((levels) => levels / 255),
};

const attackOf = (name: AttackName, seed: number): Attack =>
  name === 'fgsm' ? fgsm : name === 'pgd' ? pgd(new Random(seed)) : gaussianNoise(new Random(seed));

/**
 * The networks by whose gradients an attack is tried: the network itself, and the same one with the clipped slope at its signs. A method may end
 * its training with slopes so narrow that they pass nothing; that hides the gradient from an attack and makes no network robust.
 *
 * Source: Athalye 2018, backward pass differentiable approximation.
 */
export function attackersOf(network: Network, own?: OwnParts): Network[] {
  try {
    const clipped = buildNetwork(
      { ...network.config, tricks: { ...network.config.tricks, estimator: 'clip' } },
      undefined,
      own,
    );
    adopt(clipped, network);
    clipped.setPoint(network.point, network.context.values);
    return [network, clipped];
  } catch (error) {
    // no signs in it, or none that another slope fits
    if (error instanceof UsageError) return [network];
    throw error;
  }
}

/** Whether each image is recognised. */
function recognised(network: Network, images: Float32Array, labels: ArrayLike<number>): boolean[] {
  network.setTraining(false);
  return inference(() => {
    const logits = network.forward(new Tensor(images, [labels.length, ...network.config.inputShape]));
    const classes = logits.channels;
    return Array.from(labels, (label, i) => argmax(logits.data.subarray(i * classes, (i + 1) * classes)) === label);
  });
}

const count = (flags: readonly boolean[]) => flags.filter(Boolean).length;

/**
 * Accuracy of a trained network when its test images are disturbed, by noise and by attacks that know the network (survey sec. 1 and 3.4). An image
 * counts if it withstands the attack by the method's own slopes and by the clipped one.
 *
 * @param images test images used, a fixed sample
 * @param own methods, models and heads that the network may be of
 */
export async function robustnessOf(
  network: Network,
  data: DataSet,
  images = 500,
  own?: OwnParts,
  batch = 50,
): Promise<Robustness> {
  const pixels = new PixelRange(data);
  const batches = new Batches(data, sampleOf(data.test, images), batch);
  const attackers = attackersOf(network, own);
  const cells = (Object.keys(strengths) as AttackName[]).flatMap((attack) =>
    strengths[attack].map((strength) => ({ attack, strength, hits: 0 })),
  );
  let [clean, seen] = [0, 0];
  for (let b = 0; b < batches.length; b++) {
    const given = await batches.plain(b);
    clean += count(recognised(network, given.images, given.labels));
    seen += given.count;
    for (const cell of cells) {
      await pause();
      const withstood = (cell.attack === 'noise' ? [network] : attackers).map((attacker) =>
        // the same noise for every network and strength
        recognised(network, attackOf(cell.attack, b)(attacker, given, pixels, cell.strength), given.labels),
      );
      cell.hits += count(withstood[0]!.map((_, i) => withstood.every((flags) => flags[i])));
    }
  }
  return {
    images: seen,
    clean: clean / seen,
    under: cells.map(({ attack, strength, hits }) => ({ attack, strength, accuracy: hits / seen })),
  };
}

/** `noise 0.05`, `fgsm 4/255` */
export const disturbanceText = (attack: AttackName, strength: number): string =>
  attack === 'noise' ? `noise ${strength}` : `${attack} ${Math.round(255 * strength)}/255`;
