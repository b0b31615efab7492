import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { packedNetwork } from '../packed-network.testing.ts';

const source = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

test('a pool keeps its program alive while it is asked, and not for longer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signum-pool-'));
  try {
    writeFileSync(join(folder, 'model.safetensors'), packedNetwork(new Float32Array(256), 'sfc', 'bnn', 0.1));
    const program = join(folder, 'program.mts');
    writeFileSync(
      program,
      `import { load } from ${source('../load.ts')};
      const model = await load(${JSON.stringify(join(folder, 'model.safetensors'))}, { worker: 2 });
      // nothing else waits for this
      model.predict(new Uint8Array(64)).then(([classes]) => console.log(classes.length));`,
    );
    const args = ['--import', 'tsx', '--conditions=signum-source', program];
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, {
      cwd: fileURLToPath(new URL('../../../', import.meta.url)),
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect({ stdout, stderr, status, signal }).toEqual({ stdout: '4\n', stderr: '', status: 0, signal: null });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
