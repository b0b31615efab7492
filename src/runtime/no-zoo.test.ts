import { expect, test, vi } from 'vitest';

const place: { zooFolders: (() => null) | null } = { zooFolders: () => null };
vi.mock('#platform', async (original) => ({
  ...(await original<object>()),
  get zooFolders() {
    return place.zooFolders;
  },
}));

test('a zoo that is not installed is named with the command that installs it; a page is told of addresses', async () => {
  const { load } = await import('./load.ts');
  await expect(load('zoo:lfc-bnn-mnist')).rejects.toThrow(
    /"zoo:lfc-bnn-mnist" is of the package @signum-bnn\/zoo, which is not installed here: `npm install @signum-bnn\/zoo`/,
  );
  place.zooFolders = null;
  await expect(load('zoo:lfc-bnn-mnist')).rejects.toThrow(
    /a page loads a network by its address: import address from '@signum-bnn\/zoo\/lfc-bnn-mnist', then load\(address\)/,
  );
});
