// Opens pages in headless Chromium on a phone and on a desk, in light and dark: nothing is wider than the screen, every entry of the table of
// contents leads somewhere, scripts run without errors. Usage: node scripts/check-pages.mjs page.html... ; CHROMIUM names another browser,
// PICTURES a folder for screenshots.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const pages = process.argv.slice(2);
if (pages.length === 0) throw new Error('name the pages to check');
const profile = mkdtempSync(join(tmpdir(), 'signum-pages-'));
const browser = spawn(
  process.env.CHROMIUM ?? 'chromium',
  ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`],
  { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
);
browser.on('error', (error) => {
  console.error(`no browser: ${error.message}; apt-get install chromium, or CHROMIUM=<path>`);
  process.exit(1);
});

/** DevTools protocol over a pipe: messages end with a zero byte. */
const waiting = new Map();
let errors = [];
let unread = '';
browser.stdio[4].on('data', (bytes) => {
  const messages = (unread + bytes).split('\0');
  unread = messages.pop();
  for (const text of messages) {
    const message = JSON.parse(text);
    waiting.get(message.id)?.(message.result ?? message);
    if (message.method === 'Runtime.exceptionThrown')
      errors.push(message.params.exceptionDetails.exception?.description);
  }
});
let last = 0;
const send = (method, params = {}, sessionId = undefined) =>
  new Promise((done) => {
    const id = ++last;
    waiting.set(id, done);
    browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });

const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
const tab = (method, params) => send(method, params, sessionId);
await tab('Page.enable');
await tab('Runtime.enable');

const look = `(async () => {
  while (document.readyState !== 'complete') await new Promise(done => setTimeout(done, 20));
  await new Promise(done => setTimeout(done, 300));
  return {
    width: document.documentElement.scrollWidth,
    screen: innerWidth,
    height: document.documentElement.scrollHeight,
    paper: getComputedStyle(document.body).backgroundColor,
    entries: document.querySelectorAll('nav a').length,
    lost: [...document.querySelectorAll('nav a')].filter(a => !document.getElementById(a.hash.slice(1))).length,
    broken: [...document.images].filter(image => image.naturalWidth === 0).length,
  };
})()`;
let failed = false;
for (const page of pages) {
  const papers = new Set();
  for (const width of [390, 1280])
    for (const scheme of ['light', 'dark']) {
      errors = [];
      await tab('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: width < 600,
      });
      await tab('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      await tab('Page.navigate', { url: pathToFileURL(resolve(page)).href });
      const { result } = await tab('Runtime.evaluate', { expression: look, awaitPromise: true, returnByValue: true });
      const seen = result.value;
      papers.add(seen.paper);
      const faults = [
        ...(seen.screen !== width || seen.width > width ? [`${seen.width} pixels wide`] : []),
        ...(seen.entries < 2 || seen.lost > 0
          ? [`${seen.entries} entries of contents, ${seen.lost} lead nowhere`]
          : []),
        ...(seen.broken > 0 ? [`${seen.broken} broken pictures`] : []),
        ...errors,
      ];
      console.log(`${page}, ${width} px, ${scheme}: ${seen.height} px high; ${faults.join('; ') || 'fine'}`);
      failed ||= faults.length > 0;
      if (!process.env.PICTURES) continue;
      const clip = { x: 0, y: 0, width, height: Math.min(seen.height, 16_000), scale: 1 };
      const { data } = await tab('Page.captureScreenshot', { captureBeyondViewport: true, clip });
      const name = `${basename(dirname(resolve(page)))}-${basename(page, '.html')}-${width}-${scheme}.png`;
      writeFileSync(join(process.env.PICTURES, name), Buffer.from(data, 'base64'));
    }
  if (papers.size < 2) {
    console.error(`${page}: light and dark look alike`);
    failed = true;
  }
}
const ended = once(browser, 'exit');
await Promise.race([send('Browser.close'), ended]);
await ended;
rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
process.exit(failed ? 1 : 0);
