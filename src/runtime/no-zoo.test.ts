import { expect, test, vi } from 'vitest';
import { zooFolder } from '../backend/platform/no-addon.ts';

vi.mock('node:module', async (original) => {
  const module = await original<typeof import('node:module')>();
  const createRequire = (from: string | URL) => {
    const require = module.createRequire(from);
    const resolve = (name: string) => {
      if (name.startsWith('@signum-bnn/zoo')) throw new Error('not installed');
      return require.resolve(name);
    };
    return Object.assign((name: string) => require(name), { resolve });
  };
  return { ...module, createRequire };
});

test('a zoo that is not installed is named with the command that installs it; a page is told of addresses', async () => {
  const { load } = await import('./load.ts');
  await expect(load('zoo:lfc-bnn-mnist')).rejects.toThrow(
    /the trained networks are in the package @signum-bnn\/zoo, which is not installed here: `npm install @signum-bnn\/zoo`/,
  );
  expect(() => zooFolder('lfc-bnn-mnist')).toThrow(
    /"zoo:lfc-bnn-mnist": a page loads a network by its address: import address from '@signum-bnn\/zoo\/lfc-bnn-mnist', then load\(address\)/,
  );
});
