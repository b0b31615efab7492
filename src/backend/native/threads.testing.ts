import { createHash } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Random } from '../../core/random.ts';
import { buildNetwork } from '../../models/table.ts';
import { pack } from '../../pack/pack.ts';
import { loadPackedModel } from '../../runtime/packed-model.ts';
import { softmaxCrossEntropy } from '../../tensor/ops/loss.ts';
import { backward, trainingStep } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { kernels } from '../select.ts';

/**
 * Several threads of JavaScript on the one addon, each with its own models, every answer compared with the one computed alone. A process of
 * its own (`… workers predictions [train]`), so that the number of native threads is its own, and a crash is seen.
 */
const shape = [8, 8, 3] as const;
const classes = 5;
/** Binary, 1-bit weights alone, K scales, several bases, a plain dense net: every kind of kernel a packed network runs. */
const networks = [
  { model: 'resnet20', method: 'bnn', width: 0.25 },
  { model: 'resnet20', method: 'dorefa', width: 0.25 },
  { model: 'vgg-small', method: 'xnor-net', width: 0.0625 },
  { model: 'resnet20', method: 'abc-net', width: 0.25 },
  { model: 'sfc', method: 'bnn', width: 0.25 },
] as const;
const batches = [1, 3];

function images(seed: number, count: number): Float32Array {
  const values = new Float32Array(count * shape[0] * shape[1] * shape[2]);
  new Random(seed).fillNormal(values, 0, 1);
  return values;
}
const batchOf = (seed: number, count: number) => new Tensor(images(seed, count), [count, ...shape]);

/** Digest of the weights after some steps: the same, whatever else runs. */
function trained(steps: number): string {
  const network = buildNetwork({
    model: 'resnet20',
    method: 'bnn',
    inputShape: [...shape],
    classes,
    width: 0.25,
    seed: 3,
  });
  const parameters = network.parameters();
  for (let step = 0; step < steps; step++) {
    trainingStep(() => {
      const labels = Uint16Array.from({ length: 8 }, (_, i) => (step + i) % classes);
      backward(softmaxCrossEntropy(network.forward(batchOf(step, 8)), labels));
      for (const { value } of parameters) if (value.grad) kernels().blend(value.grad, -0.01, 1, value.data);
    });
  }
  const hash = createHash('sha256');
  for (const { value } of parameters) hash.update(value.data);
  return hash.digest('hex');
}

interface Task {
  readonly files: readonly Uint8Array[];
  readonly inputs: readonly Float32Array[];
  /** Answers of each file to each input. */
  readonly expected: readonly (readonly Float32Array[])[];
  readonly predictions: number;
  readonly train: number;
}

function work({ files, inputs, expected, predictions, train }: Task): { wrong: number; weights: string | null } {
  const weights = train > 0 ? trained(train) : null;
  const models = files.map((file) => loadPackedModel(file));
  let wrong = 0;
  for (let i = 0; i < predictions; i++) {
    const [m, input] = [i % models.length, Math.floor(i / models.length) % inputs.length];
    const answer = models[m]!.run(inputs[input]!);
    if (answer.some((value, k) => value !== expected[m]![input]![k])) wrong++;
  }
  return { wrong, weights };
}

async function main(workers: number, predictions: number, train: number): Promise<void> {
  const files = networks.map((config) => {
    const network = buildNetwork({ ...config, inputShape: [...shape], classes, seed: 1 });
    trainingStep(() => network.forward(batchOf(1, 4)));
    network.setPoint({ progress: 1, epoch: 1 });
    return pack(network, batchOf(2, 4), {
      classes: [...'abcde'],
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      allowFloat: 'all',
    }).bytes;
  });
  const inputs = batches.map((count) => images(count, count));
  const expected = files.map((file) => {
    const model = loadPackedModel(file);
    return inputs.map((input) => model.run(input).slice());
  });
  const alone = train > 0 ? trained(train) : null;
  const source = JSON.stringify(import.meta.url);
  const results = await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const task: Task = { files, inputs, expected, predictions, train: index === 0 ? train : 0 };
      const worker = new Worker(
        `import('tsx/esm/api').then(({ register }) => { register(); return import(${source}); })`,
        {
          eval: true,
          workerData: task,
        },
      );
      return new Promise<ReturnType<typeof work>>((resolve, reject) =>
        worker.on('message', resolve).on('error', reject),
      );
    }),
  );
  const wrong = results.reduce((sum, result) => sum + result.wrong, 0);
  console.log(
    JSON.stringify({ predictions: workers * predictions, wrong, sameWeights: results[0]!.weights === alone }),
  );
}

if (isMainThread) {
  const [, , workers, predictions, train] = process.argv;
  await main(Number(workers), Number(predictions), Number(train ?? 0));
} else {
  parentPort!.postMessage(work(workerData as Task));
}
