// Predictions per second of a packed ResNet-20 (batch 1), made by some worker_threads at once. Usage: node predictions.mjs <workers> <seconds>
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { buildNetwork, loadPackedModel, pack, Random, Tensor, trainingStep } from '../dist/index.js';

const shape = [32, 32, 3];
const image = new Float32Array(3072);
new Random(1).fillNormal(image, 0, 1);

function file() {
  const network = buildNetwork({ model: 'resnet20', method: 'bnn', inputShape: shape, classes: 10, width: 1, seed: 1 });
  const batch = new Tensor(image, [1, ...shape]);
  trainingStep(() => network.forward(batch));
  return pack(network, batch, { classes: [...'abcdefghij'], mean: [0, 0, 0], std: [1, 1, 1] }).bytes;
}

/** Predictions between the two times, which all workers share. */
function predict({ bytes, begin, end }) {
  const model = loadPackedModel(bytes);
  let made = 0;
  while (Date.now() < begin) model.run(image);
  for (; Date.now() < end; made++) model.run(image);
  return made;
}

if (isMainThread) {
  const [workers, seconds] = process.argv.slice(2).map(Number);
  const begin = Date.now() + 1500;
  const task = { bytes: file(), begin, end: begin + 1000 * seconds };
  const made = await Promise.all(
    Array.from(
      { length: workers },
      () =>
        new Promise((resolve, reject) => {
          new Worker(new URL(import.meta.url), { workerData: task }).on('message', resolve).on('error', reject);
        }),
    ),
  );
  console.log(JSON.stringify({ perSecond: made.reduce((a, b) => a + b) / seconds }));
} else {
  parentPort.postMessage(predict(workerData));
}
