import { argmax } from '../../core/argmax.ts';
import { Random } from '../../core/random.ts';
import { Batches } from '../../data/batches.ts';
import { type DataSet, sampleOf } from '../../data/dataset.ts';
import type { Network } from '../../models/network.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
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

function hits(network: Network, images: Float32Array, labels: ArrayLike<number>): number {
  network.setTraining(false);
  return inference(() => {
    const logits = network.forward(new Tensor(images, [labels.length, ...network.config.inputShape]));
    const classes = logits.channels;
    return Array.from(labels).filter(
      (label, i) => argmax(logits.data.subarray(i * classes, (i + 1) * classes)) === label,
    ).length;
  });
}

/**
 * Accuracy of a trained network when its test images are disturbed, by noise and by attacks that know the network (survey sec. 1 and 3.4).
 * The gradient of an attack passes signs by the method's own estimators.
 *
 * @param count test images used, a fixed sample
 */
export async function robustnessOf(network: Network, data: DataSet, count = 500, batch = 50): Promise<Robustness> {
  const pixels = new PixelRange(data);
  const batches = new Batches(data, sampleOf(data.test, count), batch);
  const cells = (Object.keys(strengths) as AttackName[]).flatMap((attack) =>
    strengths[attack].map((strength) => ({ attack, strength, hits: 0 })),
  );
  let [clean, images] = [0, 0];
  for (let b = 0; b < batches.length; b++) {
    const given = await batches.plain(b);
    clean += hits(network, given.images, given.labels);
    images += given.count;
    for (const cell of cells) {
      // the same noise for every network and strength
      const disturbed = attackOf(cell.attack, b)(network, given, pixels, cell.strength);
      cell.hits += hits(network, disturbed, given.labels);
    }
  }
  return {
    images,
    clean: clean / images,
    under: cells.map(({ attack, strength, hits: right }) => ({ attack, strength, accuracy: right / images })),
  };
}

/** `noise 0.05`, `fgsm 4/255` */
export const disturbanceText = (attack: AttackName, strength: number): string =>
  attack === 'noise' ? `noise ${strength}` : `${attack} ${Math.round(255 * strength)}/255`;
