import { beforeAll, expect, test } from 'vitest';
import { nativeKernels } from '../backend/native/binding.ts';
import { useKernels } from '../backend/select.ts';
import { sampleOf } from '../data/dataset.ts';
import { loadMnist } from '../data/mnist.ts';
import { methodNamed } from '../methods/table.ts';
import { recordedRate, trainedDigest } from './digests.testing.ts';
import { blobData } from './synthetic.testing.ts';

const native = nativeKernels();
const mnist = loadMnist();
const digits = { ...mnist, train: sampleOf(mnist.train, 120), test: sampleOf(mnist.test, 24) };
const blobs = blobData(16, 72, 16);

/** Mirrored, shifted, mixed and blanked: all that augmentation draws. */
const augmentation = { flip: true, padCrop: 2, cutout: 3, mixup: 0.4 };

const networks = {
  lfc: { width: 0.125, data: digits, augmentation: {} },
  resnet20: { width: 0.5, data: blobs, augmentation },
  'vgg-small': { width: 0.125, data: blobs, augmentation },
};

/** SHA-256 of weights and statistics after an epoch, recorded at 2693d30, when classification was all there was. */
const recorded: Readonly<Record<string, string>> = {
  'lfc bnn': 'c4768d889cb8f1c22e04adec7c924a64a4cb170ad60d1d181fa6b70a8ab2d900',
  'lfc bnn-stochastic': '22c791ec9d186bc554df66837d4bd8f2772d82dfc501971d9eea4f35654daf4e',
  'lfc xnor-net-pp': '4d68c85b3898896befb77b1b2b6f34fa45ccb739dec560198405a32fa7d2f10d',
  'lfc ir-net': '9e6bf6d8b9535f5916806fa29ce428d1465480d7ba050e6a31ae9fed89548858',
  'lfc react-net': '79cf48aa95a4a5784bfbec22fa5fbd03a075c870d1f26dd905e311460858fe0a',
  'lfc dorefa-w1a2': '636ae5b818367a0baa56750d3d87c15da3383f4b92630cd5971812a4fcb16b1f',
  'resnet20 bnn': 'acbecdf09738ab205bfd45467fd7fb332202a025644617196a69f62563887164',
  'resnet20 bnn-stochastic': '6125ed4ea94f661d349afb02a3ca238994a173a143459f88c8589e95fbdc9314',
  'resnet20 xnor-net-pp': 'd1c5afb1a067f922c082ade4b1f17a71241343a7323fb5a22df969026c5b2768',
  'resnet20 ir-net': '59f03ca262ef835adb10cb927ffa84031aaba717342f6039fd42470eb52ff838',
  'resnet20 react-net': '4ab9005e4a47865fd6b2a180b71ad8681c62acb1fe357a44faf52b272862070e',
  'resnet20 dorefa-w1a2': '3913a9ed21c8aa998b29ed9138629b3f3621f9b263442953dd911e8fe0fa968f',
  'vgg-small bnn': 'b8c0a0bed42b8b667047c78f33a0d6c99a9f880607ecd4b4d9703fe7945a0a49',
  'vgg-small bnn-stochastic': 'bdda09e46b67245adc79335b5824c2771ebf1fa231ac6dfdb5bb470a9d76438f',
  'vgg-small xnor-net-pp': 'b40645b9e478e66d2c03b4696f72eaeca199eb369257468d6c6c6895995891df',
  'vgg-small ir-net': '0dfadf976340b11df143ce801ee833d5a046901486b0334ff093e642f46aad8a',
  'vgg-small react-net': 'fe58b5a4671c9e412ad34db99b443ec09b1e3b9642cde62785ea8c82384fe078',
  'vgg-small dorefa-w1a2': 'f0b82b5d742e11e7840fdde682edbb53cf4486f8e8f4404671001fb3415941c4',
};

beforeAll(() => {
  if (native) useKernels(native);
});

test.each(Object.entries(recorded))('classification loses nothing as a task: %s', async (run, digest) => {
  const [model, method] = run.split(' ') as [keyof typeof networks, string];
  const { data, width, augmentation: augment } = networks[model];
  // their first and last layers were float then; the mlp's are the network's own
  const ends = model !== 'lfc' && methodNamed(method).structure.firstLast ? ({ firstLast: 'float' } as const) : {};
  const rate = /^(bnn|dorefa)/.test(method) ? recordedRate : {};
  expect(await trainedDigest({ model, method, width, ...augment, ...ends, ...rate }, data)).toBe(digest);
});
