// Trains on random CIFAR-sized images for a few seconds; prints img/s and this process's peak memory. Runs the built package in plain
// Node: a TypeScript loader in the process would count as memory of the training.
import { parseConfig } from '../dist/train/config.js';
import { RunFolder } from '../dist/train/run-folder.js';
import { trainerFor } from '../dist/train/trainer-for.js';

const [model = 'resnet20', batchText = '64'] = process.argv.slice(2);
const batch = Number(batchText);
const steps = model === 'resnet20' ? 24 : 10;
const count = batch * steps;
const split = {
  count,
  labels: Uint16Array.from({ length: count }, (_, i) => i % 10),
  pixels: new Uint8Array(count * 3072).map(() => Math.random() * 256),
};
const classes = Array.from({ length: 10 }, (_, i) => String(i));
const data = {
  name: 'random',
  shape: [32, 32, 3],
  classes,
  train: split,
  test: { count: 1, labels: new Uint16Array(1), pixels: new Uint8Array(3072) },
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
};
const trainer = trainerFor(
  parseConfig({ model, method: 'ir-net', data: 'random', epochs: 1, batch }),
  data,
  new RunFolder('/nonexistent'),
);
let step = 0;
let begin = 0;
const warmUp = 4;
await trainer.run({
  shouldStop: () => {
    if (++step === warmUp) begin = performance.now();
    if (step < steps) return false;
    const imagesPerSecond = (batch * (steps - warmUp) * 1000) / (performance.now() - begin);
    process.stdout.write(
      `${JSON.stringify({ imagesPerSecond, peakMegabytes: process.resourceUsage().maxRSS / 1024 })}\n`,
    );
    process.exit(0);
  },
});
