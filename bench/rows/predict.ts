import { threads } from '../../src/backend/select.ts';
import { Random } from '../../src/core/random.ts';
import { buildNetwork } from '../../src/models/table.ts';
import { pack } from '../../src/pack/pack.ts';
import { loadPackedModel } from '../../src/runtime/packed-model.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { faster, inTurns, type Row } from '../harness.ts';

/** Share of `predict` that the network itself must take: the rest turns pixels into floats and logits into classes. */
const target = 0.9;

/** The file of an untrained network. */
export function untrainedFile(model: string, size: number, classes: number): Uint8Array {
  const shape = [size, size, 3] as const;
  const images = new Float32Array(2 * size * size * 3);
  new Random(1).fillNormal(images, 0, 1);
  const network = buildNetwork({ model, method: 'bi-real', inputShape: [...shape], classes, width: 1, seed: 1 });
  const names = Array.from({ length: classes }, (_, i) => String(i));
  const source = { classes: names, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  return pack(network, new Tensor(images, [2, ...shape]), source).bytes;
}

const row = (model: string, size: number, classes: number): Row => ({
  name: `predict-${model}`,
  run: async () => {
    threads(1);
    const packed = loadPackedModel(untrainedFile(model, size, classes));
    const pixels = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 31) % 256);
    const floats = packed.normalise(pixels);
    const [ours, network] = await inTurns([() => packed.predict(pixels), () => packed.run(floats)]);
    return [
      faster(
        `predict, ${model} ${size}x${size}, from bytes`,
        'run, from floats',
        ours! * 1e3,
        network! * 1e3,
        'us',
        target,
        1,
      ),
    ];
  },
});

export const predictRows: Row[] = [row('resnet20', 32, 10), row('resnet18-imagenet', 224, 1000)];
