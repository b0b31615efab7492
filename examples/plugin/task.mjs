// A task: what is known of images, what a network says of them, and how good that is. Where is the bright spot?
import { answerTo, defineHead, defineTask, ops, Tensor } from 'signum-bnn';
import { toInput } from 'signum-bnn/data';

/** The spot of one image goes where its pixels go: images are made ready in a thread, which imports this by its name. */
export function moveSpot(spot, placement, into) {
  const { x, y } = toInput(placement, spot[0], spot[1]);
  into.set([x, y]);
  return 2;
}

const place = defineHead({
  id: 'place',
  outputs: ['position'],
  build: (taps) => taps.vector(2),
  // what the loss compares with: shares of the image's sides
  targets: ({ spot }, { shape: [height, width] }) => spot.map((at, i) => at / (i % 2 ? height : width)),
  loss: ({ position }, wanted) => ({
    total: ops.meanSquaredError(position, new Tensor(wanted, position.shape)),
    parts: {},
  }),
  decode: ({ position: [x, y] }, { shape: [height, width] }) => ({ x: x * width, y: y * height }),
});

export const pointing = defineTask({
  id: 'pointing',
  title: 'where the bright spot is',
  truth: { spot: { id: 'spot', mover: { module: import.meta.url, name: 'moveSpot' } } },
  heads: [place],
  figures: [{ name: 'pixels', title: 'distance, pixels', better: 'lower', of: ({ distance }) => distance }],
  score: (image, head) => {
    let [sum, count] = [0, 0];
    return {
      add(answers, { spot, count: images }) {
        for (let i = 0; i < images; i++) {
          const { x, y } = head.decode(answerTo(answers, i, images), image, {});
          sum += Math.hypot(x - spot[2 * i], y - spot[2 * i + 1]);
        }
        count += images;
      },
      result: () => ({ distance: sum / count, count, notFinite: 0 }),
    };
  },
});
