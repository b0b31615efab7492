/** A process of lock.test.ts: says that it is ready, tries to take every lock of a list when told, prints those it got, and lives until it is let go. */
import { Lock } from './lock.ts';

const paths = process.argv.slice(2);
process.on('message', () => {
  const won = paths.filter((path) => {
    try {
      Lock.take(path, path);
      return true;
    } catch (error) {
      if ((error as Error).name === 'TakenError') return false;
      throw error;
    }
  });
  process.send!(won);
});
// the locks of the dead are free: this one goes when all have tried
process.on('disconnect', () => process.exit());
process.send!('ready');
