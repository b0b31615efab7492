// The page of every bundler's test: runs the documented load-model.js and classify-in-worker.js, and reports what they answer.
import { classify } from './classify.js';
import { classifyInWorker } from './classify-in-worker.js';
import { loadModel } from './load-model.js';

/** What the page at an address of this server shows, once it shows something. */
async function shownBy(address) {
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.src = address;
  for (let waited = 0; waited < 200; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const text = frame.contentDocument?.querySelector('p')?.innerText;
    if (text) return text;
  }
  return 'nothing';
}

/** What the console is warned of. */
const said = [];
console.warn = (line) => said.push(line);

async function answers({ page, route, zoo }) {
  const pixels = new Uint8Array(await (await fetch('/pixels')).arrayBuffer());
  const model = await loadModel('/model.safetensors');
  return {
    logits: [...model.run(model.normalise(pixels))],
    predictions: model.predict(pixels),
    worker: await classifyInWorker(pixels),
    loaded: await classify(pixels, [2, 32, 32, 3]),
    said: said.join(' '),
    ...(zoo && { zoo: await (await zoo()).predict({ data: pixels.subarray(0, 7 * 784), shape: [7, 28, 28, 1] }) }),
    ...(page && { shown: await shownBy(page) }),
    ...(route && { route: await (await fetch(route, { method: 'POST', body: pixels })).json() }),
  };
}

export async function check(also = {}) {
  const reportTo = new URLSearchParams(location.search).get('report');
  const result = await answers(also).catch((error) => ({ error: String(error) }));
  await fetch(reportTo, { method: 'POST', mode: 'no-cors', body: JSON.stringify(result) });
}
