import { expect, test } from 'vitest';
import { networkMacs } from '../analysis/macs.ts';
import { summarise } from '../analysis/summary.ts';
import { Random } from '../core/random.ts';
import {
  definePackedOp,
  defineTranslation,
  emptyTensor,
  inference,
  Lambda,
  load,
  loadPackedModel,
  Module,
  methodNamed,
  Network,
  nodeOf,
  ops,
  Parameter,
  pack,
  packedOp,
  record,
  Sequential,
  stored,
  Tensor,
} from '../index.ts';

// everything as somebody outside would write it

/** y[..., c] = weight[c] |x|^power */
function powerScale(x: Tensor, weight: Tensor, power: number): Tensor {
  const y = emptyTensor(x.shape);
  for (let i = 0; i < y.size; i++) y.data[i] = weight.data[i % weight.size]! * Math.abs(x.data[i]!) ** power;
  return record('powerScale', [x, weight], y, () => [null, null], {
    attributes: { power },
    product: { macs: x.size / x.shape[0]!, weightBits: 32, inputBits: 32 },
    constant: true,
  });
}

const packedPower = definePackedOp('powerScale', { power: packedOp.finite, weight: packedOp.tensor })({
  ...packedOp.elementwise,
  cost: ({ output }) => ({
    weights: packedOp.channelsOf(output),
    weightBits: 32,
    inputBits: 32,
    macs: packedOp.lengthOf(output),
  }),
  prepare: ({ node, output }, tensors) => {
    const weight = tensors.floats(node.weight, packedOp.channelsOf(output));
    return packedOp.floatWork(([x], y) => {
      for (let i = 0; i < y.floats.length; i++)
        y.floats[i] = weight[i % weight.length]! * Math.abs(x!.floats[i]!) ** node.power;
    });
  },
});

const translation = defineTranslation(
  'powerScale',
  'computes',
  ({ power }: { power: number }, at, [, weight]: readonly [Tensor, Tensor]) => [
    nodeOf(packedPower, at, { power, weight: stored(weight.data) }),
  ],
);

class PowerLayer extends Module {
  readonly weight = new Parameter(Float32Array.of(0.5, -2, 3), [3], 'weight');

  override forward(x: Tensor): Tensor {
    return powerScale(x, this.weight, 1.5);
  }
}

const config = {
  model: 'mine',
  method: 'float',
  inputShape: [4, 4, 3] as [number, number, number],
  classes: 3,
  width: 1,
  seed: 1,
};
const network = () =>
  new Network(config, methodNamed('float'), () => new Sequential([new PowerLayer(), new Lambda(ops.globalAvgPool)]));
const images = (count: number) => {
  const data = new Float32Array(count * 48);
  new Random(3).fillNormal(data, 0, 1);
  return new Tensor(data, [count, 4, 4, 3]);
};
const options = { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] };

test("somebody's op packs, loads, runs to the same bits, is costed and summarised", async () => {
  const built = network();
  const { bytes, model } = pack(built, images(2), { ...options, ops: [translation] });
  const loaded = loadPackedModel(bytes, { ops: [packedPower] });
  const fresh = images(5);
  const expected = inference(() => built.forward(fresh).data.slice());
  expect(loaded.run(fresh.data)).toEqual(expected);
  expect(model.run(fresh.data)).toEqual(expected);
  const asked = await load(bytes, { ops: [packedPower] });
  expect(await asked.run({ data: fresh.data, shape: [5, 4, 4, 3] })).toEqual(expected);
  await asked.dispose();
  await expect(load(bytes)).rejects.toThrow(/op "powerScale", which this build does not know/);
  const [row] = summarise(loaded, 1, 1);
  expect(row).toMatchObject({
    op: 'powerScale',
    bits: '32/32',
    parameters: 3,
    floatMacs: 48,
    packedBytes: 12,
    kernel: 'float',
  });
  expect(networkMacs(built)).toEqual({ binary: 0, float: 48 });
});

test('without it, packing and loading fail and name it; a name that is taken is refused', () => {
  const built = network();
  expect(() => pack(built, images(2), options)).toThrow(/the op "powerScale" of this network has no packed form/);
  const { bytes } = pack(built, images(2), { ...options, ops: [translation] });
  expect(() => loadPackedModel(bytes)).toThrow(
    /op "powerScale", which this build does not know; pass it to loadPackedModel/,
  );
  const taken = { ...packedPower, op: 'relu' };
  expect(() => loadPackedModel(bytes, { ops: [taken] })).toThrow(/a packed op "relu" already/);
  expect(() => pack(built, images(2), { ...options, ops: [{ ...translation, traced: 'sign' }] })).toThrow(
    /"sign" has a packed form already/,
  );
});

test('fields that its readers refuse, and shapes that it does not fit, are the fault of the file', () => {
  const { bytes } = pack(network(), images(2), { ...options, ops: [translation] });
  const whole = definePackedOp('powerScale', { power: packedOp.whole(1, 8), weight: packedOp.tensor })(packedPower);
  expect(() => loadPackedModel(bytes, { ops: [whole] })).toThrow(
    /nodes\.0\.power: expected a whole number from 1 to 8, got 1\.5/,
  );
  const none = { ...packedPower, shape: () => null };
  expect(() => loadPackedModel(bytes, { ops: [none] })).toThrow(/\(powerScale\) cannot give a value from \[4,4,3\]/);
});
