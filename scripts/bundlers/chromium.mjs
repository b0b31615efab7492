// A web server for what was bundled, and headless Chromium (CHROMIUM names another) to open pages that report by POST.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
let served = '.';
let reported = () => {};
const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    reported(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    return response.end();
  }
  const { pathname } = new URL(request.url, 'http://localhost');
  const file = join(served, pathname === '/' ? 'index.html' : pathname);
  const content = await readFile(file).catch(() => null);
  response.writeHead(content ? 200 : 404, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
  return response.end(content ?? '');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const here = `http://127.0.0.1:${server.address().port}`;

export const closeServer = () => {
  server.close();
  server.closeAllConnections();
};

/** The address at which the folder is served from now on. */
export function serve(folder) {
  served = folder;
  return `${here}/`;
}

/** What the page at the address reports within a minute; it finds in its query where to. */
export async function visit(address) {
  const profile = mkdtempSync(join(tmpdir(), 'signum-chromium-'));
  const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`];
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [...options, `${address}?report=${here}/`], {
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise((resolve) => browser.on('close', resolve));
  try {
    return await new Promise((resolve, reject) => {
      reported = resolve;
      browser.on('error', reject);
      setTimeout(() => reject(new Error(`${address} reported nothing within a minute`)), 60_000).unref();
    });
  } finally {
    // with its children, which would go on writing the profile that is removed
    if (browser.pid) process.kill(-browser.pid, 'SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
