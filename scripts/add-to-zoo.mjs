// Puts a finished run into the zoo: packs it, proves and evaluates the packed network on the test images, and writes the network's folder,
// the zoo's index and its page. Needs a build (npm run build) and the run's data.
//   node scripts/add-to-zoo.mjs runs/resnet20-recu-cifar10 [--id resnet20-recu-cifar10]
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { evaluatePacked, packForData } from '../dist/analysis/packed-evaluation.js';
import { fitToModel } from '../dist/data/fit-model.js';
import { saveCheckpoint } from '../dist/train/checkpoint.js';
import { imagesOf, loadDataOf } from '../dist/train/data-of.js';
import { loadTrained } from '../dist/train/load-network.js';
import { commandOf } from '../dist/train/run.js';
import { RunFolder } from '../dist/train/run-folder.js';

const zoo = fileURLToPath(new URL('../packages/zoo/', import.meta.url));
/** What the package may hold, and up to which size float weights go with a network. */
const [mostBytes, mostLatentBytes] = [8_000_000, 1_500_000];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { id: { type: 'string' } } });
const [path] = positionals;
if (!path) throw new Error('usage: node scripts/add-to-zoo.mjs <run> [--id <name>]');
const run = new RunFolder(path);
const config = run.readConfig();
const metrics = run.readMetrics();
const id = values.id ?? basename(resolve(path));
if (!/^[\w.-]+$/.test(id)) throw new Error(`--id ${id}: letters, digits and . _ - only`);
if (metrics.length < config.epochs)
  throw new Error(`${path} is not finished: ${metrics.length} of ${config.epochs} epochs`);

const { network, checkpoint } = loadTrained(path);
network.setTraining(false);
const { data } = fitToModel(await loadDataOf(config, console.error), imagesOf(checkpoint), 'evaluate');
if (data.originalPixels === false)
  throw new Error(`${config.data}: not the original pixels; set SIGNUM_DATA to where these are`);
const { bytes, model } = await packForData(network, data);
const { top1: accuracy } = await evaluatePacked(model, data);
const logged = metrics.at(-1).testAccuracy;
if (Math.abs(accuracy - logged) > 1e-9)
  console.error(`packed: ${accuracy}, logged after the last epoch: ${logged}; the zoo tells the packed one's`);

const folder = join(zoo, 'networks', id);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const write = (name, content) => writeFileSync(join(folder, name), content);
write('model.safetensors', bytes);
write('config.json', readFileSync(run.file('config.json')));
// measurements by layer would make the logs larger than the networks
write('metrics.jsonl', metrics.map(({ layers: _, ...epoch }) => `${JSON.stringify(epoch)}\n`).join(''));
write('index.js', "export default new URL('./model.safetensors', import.meta.url);\n");
const { epoch, batch, step, running, best, classes, images, order, mean, std } = checkpoint;
let latents;
saveCheckpoint(
  (file) => {
    latents = file;
  },
  network,
  new Map(),
  new Map(),
  { epoch, batch, step, running, best, classes, images, order, mean, std },
);
const latentBytes = latents.length <= mostLatentBytes ? latents.length : null;
if (latentBytes !== null) write('checkpoint.safetensors', latents);

const networks = JSON.parse(readFileSync(join(zoo, 'index.json'), 'utf8'));
const entry = {
  id,
  model: config.model,
  width: config.width,
  method: config.method,
  bits: network.method.bits,
  data: config.data,
  classes: data.classes,
  input: data.shape,
  accuracy,
  originalPixels: data.originalPixels,
  epochs: config.epochs,
  bytes: bytes.length,
  latentBytes,
  paper: network.method.paper,
  license: 'Apache-2.0',
  command: commandOf(config),
};
const entries = [...networks.filter((other) => other.id !== id), entry].sort((a, b) => (a.id < b.id ? -1 : 1));
const index = JSON.stringify(entries, null, 2);
writeFileSync(join(zoo, 'index.json'), `${index}\n`);
writeFileSync(join(zoo, 'index.js'), `// written by scripts/add-to-zoo.mjs\nexport const networks = ${index};\n`);
const kB = (size) => `${(size / 1000).toFixed(1)} kB`;
const rows = entries.map(
  (n) =>
    `| \`zoo:${n.id}\` | ${n.data} | ${n.bits.weight}/${n.bits.activation} | ${(100 * n.accuracy).toFixed(2)} % | ${kB(n.bytes)} | ${n.latentBytes === null ? '' : kB(n.latentBytes)} | ${n.paper} |`,
);
const readme = join(zoo, 'README.md');
const [before] = readFileSync(readme, 'utf8').split('| network |');
const head = '| network | data | W/A bits | test accuracy, packed | file | float weights | method |';
writeFileSync(readme, `${before}${head}\n|---|---|---|---|---|---|---|\n${rows.join('\n')}\n`);

const total = readdirSync(zoo, { recursive: true, encoding: 'utf8' })
  .map((name) => statSync(join(zoo, name)))
  .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
console.log(JSON.stringify({ ...entry, classes: entry.classes.length, zooBytes: total }, null, 2));
if (total > mostBytes)
  throw new Error(`the zoo has ${total} bytes, at most ${mostBytes} are allowed: take a network out`);
