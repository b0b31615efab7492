import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startModule } from '../backend/platform/node-threads.ts';
import { TakenError } from '../core/errors.ts';

/** A lock whose owner has given no sign of life for so long is nobody's. */
export const staleAfterMs = 60_000;
export const beatEveryMs = 5_000;

/** What the thread of `lock-heartbeat.ts` is told. */
export type BeatRequest =
  | { readonly kind: 'hold'; readonly file: string; readonly content: string; readonly lost: Int32Array }
  | { readonly kind: 'release'; readonly file: string };

/** Who holds a lock, as its file says. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Machine since its last start, and its space of process numbers (a container has its own); null where the system does not tell. */
  readonly space: string | null;
  /** When the process began: process numbers come again. */
  readonly began: string | null;
}

/** A living owner. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Since its last sign of life. */
  readonly silentMs: number;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Fields of /proc/<pid>/stat from the state on (Linux); null where there is no such process. */
const processFields = (pid: number): string[] | null =>
  orNull(() =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' '),
  );
const stateField = 0;
const beganField = 19;

const readSpace = (): string | null =>
  process.platform === 'linux'
    ? orNull(
        () => `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`,
      )
    : hostname();

const self = (): Owner => ({
  pid: process.pid,
  host: hostname(),
  space: readSpace(),
  began: processFields(process.pid)?.[beganField] ?? null,
});

function isRunning(pid: number, began: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const fields = processFields(pid);
  // a zombie is not collected by its parent yet, but will never write again
  return !fields || (fields[stateField] !== 'Z' && (began === null || fields[beganField] === began));
}

/** Whether the owner cannot write any more; null where only its silence can tell. */
function isDead({ pid, space, began }: Owner): boolean | null {
  return space === null || space !== readSpace() ? null : !isRunning(pid, began);
}

interface Entry {
  /** What must be removed when the owner is gone. */
  readonly file: string;
  readonly holder: Holder | null;
}

/** @param now by the clock of the file system */
function judge(file: string, owner: Owner | null, now: number): Entry {
  const silentMs = now - statSync(file).mtimeMs;
  const gone = silentMs > staleAfterMs || (owner !== null && isDead(owner) === true);
  return { file, holder: gone ? null : { pid: owner?.pid ?? 0, host: owner?.host ?? 'unknown', silentMs } };
}

/** A file of a process number, as earlier versions wrote it; an empty one, as a full disk left it, is nobody's. */
function judgeOldLock(path: string, now: number): Entry {
  const pid = Number(readFileSync(path, 'utf8'));
  if (!Number.isSafeInteger(pid) || pid <= 0) return { file: path, holder: null };
  return judge(path, { pid, host: hostname(), space: readSpace(), began: null }, now);
}

function entryOf(path: string, now: number): Entry | null {
  try {
    if (!statSync(path).isDirectory()) return judgeOldLock(path, now);
    const [name] = readdirSync(path);
    if (name === undefined) return null;
    const file = join(path, name);
    const owner = orNull(() => JSON.parse(readFileSync(file, 'utf8')) as Owner);
    return judge(file, owner, now);
  } catch (error) {
    // released in this moment
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Who holds the lock at a path, by this machine's clock; null when it is free. */
export const holderOf = (path: string): Holder | null => orNull(() => entryOf(path, Date.now()))?.holder ?? null;

/** `process 12 on build-3 (silent for 4 s ...)` */
function holderText({ pid, host, silentMs }: Holder): string {
  if (host === hostname()) return `process ${pid}`;
  const silent = Math.max(0, Math.round(silentMs / 1000));
  return `process ${pid} on ${host} (silent for ${silent} s; after ${staleAfterMs / 1000} s it counts as gone)`;
}

let heart: Worker | null = null;

function tellHeart(request: BeatRequest): void {
  if (!heart) {
    heart = startModule(new URL('./lock-heartbeat.js', import.meta.url), null);
    heart.unref();
    process.once('exit', () => {
      for (const lock of held) lock.release();
    });
  }
  heart.postMessage(request);
}

const held = new Set<Lock>();
const tries = 50;

/**
 * A lock that holds across processes, containers and shared disks: a folder with one file, named by a number that nobody else draws, which a
 * thread touches every five seconds. Taking it is one rename of a whole folder, which fails where a folder with a file is already; a stale
 * owner's file is removed by its name, so that of many who find it stale none can remove the lock that another one has taken meanwhile.
 */
export class Lock {
  private readonly path: string;
  private readonly what: string;
  private readonly file: string;
  private readonly lost = new Int32Array(new SharedArrayBuffer(4));

  private constructor(path: string, what: string, file: string) {
    this.path = path;
    this.what = what;
    this.file = file;
  }

  /**
   * @param path in a folder that exists
   * @param what is written under it, for messages: `run runs/mine`
   * @throws TakenError when a living owner has it; file-system errors, with nothing left behind
   */
  static take(path: string, what: string): Lock {
    const name = randomUUID();
    const temporary = `${path}.${name}.tmp`;
    const content = JSON.stringify(self());
    try {
      for (let i = 0; i < tries; i++) {
        mkdirSync(temporary, { recursive: true });
        writeFileSync(join(temporary, name), content, { flush: true });
        if (renamed(temporary, path)) return Lock.begun(path, what, name, content);
        const entry = entryOf(path, statSync(join(temporary, name)).mtimeMs);
        if (entry?.holder)
          throw new TakenError(
            `${what} is being written by ${holderText(entry.holder)}; wait for it, or choose another --name`,
          );
        if (entry) removeFile(entry.file);
        else removeEmpty(path);
      }
      throw new TakenError(`several processes want ${what} at once; try again`);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }

  private static begun(path: string, what: string, name: string, content: string): Lock {
    const lock = new Lock(path, what, join(path, name));
    tellHeart({ kind: 'hold', file: lock.file, content, lost: lock.lost });
    held.add(lock);
    return lock;
  }

  /** Seen by the heartbeat: another process has taken it, because this one was silent. */
  get isLost(): boolean {
    return Atomics.load(this.lost, 0) === 1;
  }

  /** @throws TakenError when it was taken by another process; asks the disk */
  requireHeld(): void {
    if (!this.isLost && statSync(this.file, { throwIfNoEntry: false })) return;
    Atomics.store(this.lost, 0, 1);
    const holder = holderOf(this.path);
    const how = holder
      ? `was taken over by ${holderText(holder)}`
      : 'has lost its lock, which was taken over or deleted';
    throw new TakenError(
      `${this.what} ${how} while this process was suspended or cut off for more than ${staleAfterMs / 1000} s; it stops and writes nothing more`,
    );
  }

  /** Does nothing where another process has taken it. */
  release(): void {
    tellHeart({ kind: 'release', file: this.file });
    held.delete(this);
    removeFile(this.file);
    removeEmpty(this.path);
  }
}

/** Whether a folder took its name; not where one with a file is already. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    // which of them depends on the system, and on whether the lock is a folder or the file of an earlier version
    const codes = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EPERM', 'EACCES', 'ENOENT'];
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function removeFile(file: string): void {
  orNull(() => unlinkSync(file));
}

function removeEmpty(path: string): void {
  orNull(() => rmdirSync(path));
}
