// Test accuracy and training loss of several runs over their epochs, as one PNG, drawn by uPlot in headless Chromium:
//   node scripts/plot-runs.mjs curves.png runs/one runs/another
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const [output, ...folders] = process.argv.slice(2);
if (!output || folders.length === 0) {
  console.error('usage: node scripts/plot-runs.mjs <output.png> <run folder>...');
  process.exit(2);
}
const labelOf = ({ method, optimizer, rate, batch, schedule, blockOrder, activation }) =>
  [
    method,
    optimizer === 'sgd' && 'SGD',
    rate && `rate ${rate}`,
    batch !== 128 && `batch ${batch}`,
    schedule,
    blockOrder,
    activation,
  ]
    .filter(Boolean)
    .join(', ');
const runs = folders.map((folder) => ({
  label: labelOf(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))),
  metrics: readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)),
}));
const longest = Math.max(...runs.map(({ metrics }) => metrics.length));
const epochs = Array.from({ length: longest }, (_, i) => i + 1);
const series = (value) => runs.map(({ metrics }) => epochs.map((_, i) => (metrics[i] ? value(metrics[i]) : null)));
const charts = [
  { title: 'Test accuracy, %', values: series((epoch) => 100 * epoch.testAccuracy) },
  { title: 'Training loss', values: series((epoch) => epoch.trainLoss) },
];

const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
const page = `<!doctype html><meta charset="utf-8"><style>${readFileSync(join(uplot, 'uPlot.min.css'), 'utf8')}
body{margin:16px;font:14px system-ui,sans-serif;background:#fff;color:#1b2230;display:flex;gap:16px}h3{font-size:14px;margin:0 0 4px}.u-legend .u-value,.u-legend .u-series:first-child,.u-label:after,.u-series>th:after{display:none!important}</style>
<body><script>${readFileSync(join(uplot, 'uPlot.iife.min.js'), 'utf8')}</script><script>
const colors=['#2f6bff','#e2662a','#1f9d61','#9b4dca','#c2a000','#8a94a6','#111827','#d6336c'];
for(const {title,values} of ${JSON.stringify(charts)}){const host=document.body.appendChild(document.createElement('div'));
host.innerHTML='<h3>'+title+'</h3>';const grid={stroke:'#e3e5ea'};
new uPlot({width:470,height:300,scales:{x:{time:false}},axes:[{label:'epoch',labelSize:18,grid},{grid,size:50}],cursor:{show:false},
series:[{label:'epoch'},...${JSON.stringify(runs.map(({ label }) => label))}.map((label,i)=>({label,stroke:colors[i%colors.length],width:2,points:{show:false}}))]},[${JSON.stringify(epochs)},...values],host)}
</script>`;
const folder = mkdtempSync(join(tmpdir(), 'signum-plot-'));
writeFileSync(join(folder, 'page.html'), page);
execFileSync(
  process.env.CHROMIUM ?? 'chromium',
  [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--force-device-scale-factor=2',
    '--window-size=990,520',
    `--screenshot=${resolve(output)}`,
    `file://${join(folder, 'page.html')}`,
  ],
  { stdio: 'ignore' },
);
rmSync(folder, { recursive: true });
