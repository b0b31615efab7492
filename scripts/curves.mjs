// Our training curves beside those of the authors' programs, on one recipe (docs/recipes.md, "Curves against the authors' code"):
//   node scripts/curves.mjs train ours.jsonl [method ...]      trains ours, all of them or some; CURVES_AT_ONCE runs side by side (1)
//   node scripts/curves.mjs table ours.jsonl theirs.jsonl      prints the table; exit status 1 where a curve differs
// Lines are {method, seed, epoch, loss, test}: mean training loss of the epoch, share of the test images that are right at its end.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const epochs = 5;
const seeds = [1, 2];
/** How far apart mean losses may be. */
const lossTolerance = 0.02;

const sgd = (decay) => `--optimizer sgd --rate 0.1 --momentum 0.9 --weight-decay 1e-4 --decay ${decay}`;
const adam = (weightDecay, decay) => `--optimizer adam --rate 1e-3 --weight-decay ${weightDecay} --decay ${decay}`;
const common = `--model resnet20 --data cifar10 --epochs ${epochs} --batch 128 --schedule cosine --warm-up-epochs 0 --clock epoch --pad-crop 4 --flip`;
/** What the authors' programs are called there, and our options for the same. */
const rows = {
  'ir-net': `--method ir-net ${sgd('all')}`,
  rbnn: `--method rbnn-code ${sgd('all')}`,
  recu: `--method recu ${sgd('all')}`,
  siman: `--method siman ${sgd('but-binary')}`,
  'ada-bin': `--method ada-bin ${sgd('all')}`,
  'bi-real': `--method bi-real ${adam(0, 'all')}`,
  'xnor-net': `--method xnor-net-code ${adam(1e-5, 'all')}`,
  'dorefa-w1a2': `--method dorefa-w1a2 ${adam(0, 'all')}`,
};

const readLines = (file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Runs the command in a folder of its own, so that no run of the user's is touched. */
async function trainOne(method, seed, output) {
  const name = `curves-${method}-${seed}`;
  const folder = mkdtempSync(join(tmpdir(), 'signum-curves-'));
  const options = `train ${common} ${rows[method]} --seed ${seed} --name ${name}`.split(' ');
  console.log(`signum ${options.join(' ')}`);
  const cli = resolve('dist/cli/main.js');
  const env = { ...process.env, ...(process.env.SIGNUM_DATA ? { SIGNUM_DATA: resolve(process.env.SIGNUM_DATA) } : {}) };
  const child = spawn(process.execPath, [cli, ...options], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const status = await new Promise((done) => child.on('close', done));
  const metrics = join(folder, 'runs', name, 'metrics.jsonl');
  if (status !== 0 || !existsSync(metrics)) {
    console.error(`${name} ended with status ${status}`);
    return false;
  }
  const lines = readLines(metrics).map(({ epoch, trainLoss, testAccuracy }) =>
    JSON.stringify({ method, seed, epoch: epoch + 1, loss: trainLoss, test: testAccuracy }),
  );
  appendFileSync(output, `${lines.join('\n')}\n`);
  return true;
}

async function train(output, wanted) {
  const unknown = wanted.filter((method) => !rows[method]);
  if (unknown.length > 0) throw new Error(`no row "${unknown[0]}"; there are ${Object.keys(rows).join(', ')}`);
  const methods = wanted.length > 0 ? wanted : Object.keys(rows);
  const jobs = seeds.flatMap((seed) => methods.map((method) => [method, seed]));
  let allDone = true;
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) allDone = (await trainOne(...job, output)) && allDone;
  };
  await Promise.all(Array.from({ length: Number(process.env.CURVES_AT_ONCE ?? 1) }, worker));
  return allDone;
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const spread = (values) => Math.max(...values) - Math.min(...values);

/** Both sides' figures at an epoch, one of each seed. */
function compared(ours, theirs) {
  const loss = mean(ours.map((line) => line.loss)) - mean(theirs.map((line) => line.loss));
  const tests = [ours, theirs].map((lines) => lines.map((line) => 100 * line.test));
  const test = mean(tests[0]) - mean(tests[1]);
  return { loss, test, tests, testSpread: Math.max(...tests.map(spread)), lossAgrees: Math.abs(loss) <= lossTolerance };
}

function table(ourFile, theirFile) {
  const [ours, theirs] = [ourFile, theirFile].map(readLines);
  console.log(
    '| method | epoch | their loss | our loss | difference | their test % | our test % | |\n| --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  let allAgree = true;
  for (const method of Object.keys(rows)) {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const at = (lines) => lines.filter((line) => line.method === method && line.epoch === epoch);
      const [our, their] = [at(ours), at(theirs)];
      if (our.length === 0 || their.length === 0) continue;
      const { loss, test, tests, testSpread, lossAgrees } = compared(our, their);
      // the last epoch's rate is low: only there does a test figure say more than chance
      const testAgrees = epoch < epochs || Math.abs(test) <= testSpread;
      allAgree &&= lossAgrees && testAgrees;
      const losses = [their, our].map((lines) => mean(lines.map((line) => line.loss)).toFixed(3));
      const figures = [tests[1], tests[0]].map((values) => values.map((value) => value.toFixed(1)).join(', '));
      const verdict = [!lossAgrees && 'loss differs', !testAgrees && 'accuracy differs'].filter(Boolean).join(', ');
      const difference = `${loss < 0 ? '-' : '+'}${Math.abs(loss).toFixed(3)}`;
      console.log(
        `| ${method} | ${epoch} | ${losses.join(' | ')} | ${difference} | ${figures.join(' | ')} | ${verdict} |`,
      );
    }
  }
  return allAgree;
}

const [action, ...rest] = process.argv.slice(2);
if (action === 'train' && rest.length > 0) process.exitCode = (await train(rest[0], rest.slice(1))) ? 0 : 1;
else if (action === 'table' && rest.length === 2) process.exitCode = table(...rest) ? 0 : 1;
else {
  console.error('usage: node scripts/curves.mjs train <ours.jsonl> [method ...] | table <ours.jsonl> <theirs.jsonl>');
  process.exitCode = 2;
}
