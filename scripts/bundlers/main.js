// The page of every bundler's test: runs the documented load-model.js and classify-in-worker.js, and reports what they answer.
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

async function answers({ page, route, zoo }) {
  const pixels = new Uint8Array(await (await fetch('/pixels')).arrayBuffer());
  const model = await loadModel('/model.safetensors');
  return {
    logits: [...model.run(model.normalise(pixels))],
    predictions: model.predict(pixels),
    worker: await classifyInWorker(pixels),
    ...(zoo && { zoo: (await zoo()).predict(pixels.subarray(0, 7 * 784)) }),
    ...(page && { shown: await shownBy(page) }),
    ...(route && { route: await (await fetch(route, { method: 'POST', body: pixels })).json() }),
  };
}

export async function check(also = {}) {
  const reportTo = new URLSearchParams(location.search).get('report');
  const result = await answers(also).catch((error) => ({ error: String(error) }));
  await fetch(reportTo, { method: 'POST', mode: 'no-cors', body: JSON.stringify(result) });
}
