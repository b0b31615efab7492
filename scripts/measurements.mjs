// Writes the generated parts of docs/measurements.md, and the README's table, from the logs of `npm run bench -- --json` in results/bench and from the
// logged runs in results:
//   npm run bench -- --json > results/bench/<date>-<processor>.jsonl    (some rows only: append them to a file of that machine and day)
//   node scripts/measurements.mjs                                       writes; with --check, exit status 1 where a file is not what it would write
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path) => readFileSync(join(root, path), 'utf8');
const linesOf = (path) =>
  text(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const figure = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** Logs of `bench --json`, the newest first; a later figure of a row takes the place of an earlier one. */
function benchLogs() {
  return readdirSync(join(root, 'results/bench'))
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .reverse()
    .map((name) => {
      const lines = linesOf(`results/bench/${name}`);
      const rows = new Map();
      let machine = null;
      for (const line of lines) {
        if (line.processor) machine = line;
        else rows.set(`${line.row} ${line.peer} ${line.threads}`, { ...line, commit: machine.commit });
      }
      return { name, machine, rows: [...rows.values()] };
    });
}

const where = ({ processor, model, instructionSet, cores, node, date }) =>
  `${model ?? processor} (${instructionSet}), ${cores} cores, Node.js ${node.replace('v', '')}, ${date}`;

function benchTable({ name, machine, rows }) {
  const cells = rows.map(({ row, peer, ours, theirs, unit, ratio, target, threads, commit }) => [
    row,
    threads,
    peer,
    `${figure(ours)} ${unit}`,
    `${figure(theirs)} ${unit}`,
    `${figure(ratio)}x`,
    `${target}x${ratio >= target ? '' : ', missed'}`,
    commit,
  ]);
  const head = ['what', 'threads', 'peer', 'ours', 'theirs', 'ratio', 'target', 'commit'];
  return `### ${where(machine)}\n\nLog: \`results/bench/${name}\`.\n\n${table(head, cells)}`;
}

function runsTable() {
  const rows = readdirSync(join(root, 'results'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      try {
        const config = JSON.parse(text(`results/${name}/config.json`));
        const last = linesOf(`results/${name}/metrics.jsonl`).at(-1);
        return [
          [`\`results/${name}\``, config.model, config.method, config.data, config.epochs, percent(last.testAccuracy)],
        ];
      } catch {
        return []; // a folder of something else
      }
    });
  return table(['log', 'model', 'method', 'data', 'epochs', 'test, last epoch'], rows);
}

/** The README's rows: what of the newest log shows what Signum is for. */
const shown = [
  [/^binary conv 28x28x128, native/, 'onnxruntime-node fp32', 'binary convolution 28x28x128, native'],
  [/^binary conv 28x28x128, (?!native)/, 'onnxruntime-web fp32', 'the same in WebAssembly'],
  [/^train step resnet20/, 'PyTorch 2.13 simulation, best of four', 'training step of ResNet-20, XNOR forward'],
  [/^start: process to first answer/, 'onnxruntime-node fp32', 'process to first answer, ResNet-20'],
  [/^vgg-small: all tensors/, 'float32', "VGG-Small's file"],
];

function readmeTable(log) {
  const rows = shown.flatMap(([pattern, peer, name]) => {
    const row = log.rows.filter((one) => pattern.test(one.row) && one.peer === peer).at(-1);
    if (!row) return [];
    const threads = row.threads === 1 ? '' : `, ${row.threads} threads`;
    return [
      [
        `${name}${threads}`,
        peer,
        `${figure(row.ours)} ${row.unit}`,
        `${figure(row.theirs)} ${row.unit}`,
        `**${figure(row.ratio)}x**`,
      ],
    ];
  });
  return `${table(['what', 'peer', 'ours', 'theirs', 'ratio'], rows)}\n\n${where(log.machine)}.`;
}

/** The text with the part between the two marks replaced. */
function replaced(path, mark, part) {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const whole = text(path);
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`${path} lacks the marks "${begin}" and "${end}"`);
  return `${whole.slice(0, from + begin.length)}\n${part}\n${whole.slice(to)}`;
}

const logs = benchLogs();
const written = {
  'docs/measurements.md': replaced(
    'docs/measurements.md',
    'measurements',
    `${logs.map(benchTable).join('\n\n')}\n\n## Logged runs\n\n${runsTable()}`,
  ),
  'README.md': replaced('README.md', 'measured', readmeTable(logs[0])),
};
for (const [path, whole] of Object.entries(written)) {
  if (!process.argv.includes('--check')) writeFileSync(join(root, path), whole);
  else if (text(path) !== whole) {
    console.error(`${path} is not what its logs say: node scripts/measurements.mjs`);
    process.exitCode = 1;
  }
}
