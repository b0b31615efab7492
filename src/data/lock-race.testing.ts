/** A process of lock.test.ts: tries to take every lock of a list at the agreed time, and prints those it got. */
import { Lock } from './lock.ts';

const [begin, ...paths] = process.argv.slice(2);
const won: string[] = [];
while (Date.now() < Number(begin));
for (const path of paths)
  try {
    Lock.take(path, path);
    won.push(path);
  } catch (error) {
    if ((error as Error).name !== 'TakenError') throw error;
  }
// alive until all have tried: the locks of the dead are free
process.stdout.write(JSON.stringify(won));
setTimeout(() => process.exit(), Number(begin) + 3000 - Date.now());
