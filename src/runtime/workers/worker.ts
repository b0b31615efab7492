import { startThread } from '#start-thread';
import type { Thread } from '../../backend/platform/threads.ts';
import { WorkerError } from '../../core/errors.ts';
import { receivedError, type ThreadMessage, type ThreadReply } from './messages.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type Numbered = Extract<ThreadMessage, { readonly number: number }>;
/** A message without the number that it gets here. */
export type Question = Numbered extends infer M ? (M extends Numbered ? Omit<M, 'number'> : never) : never;

/** The calling thread's side of one thread: questions and their answers. */
export class PoolWorker {
  private readonly thread: Thread;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  /** Why it answers no more. */
  private problem: Error | null = null;
  /** Shared with the thread, where there is such memory: 1 stops its run at the next node. */
  readonly left = typeof SharedArrayBuffer === 'undefined' ? null : new Int32Array(new SharedArrayBuffer(4));
  /** It has run: an end that comes later is no fault of its start. */
  started = false;

  /** @param onEnd it ended by itself, and all that was asked of it is rejected */
  constructor(onEnd: (worker: PoolWorker) => void) {
    this.thread = startThread({
      message: (reply) => this.hear(reply as ThreadReply),
      ended: (reason) => {
        if (this.problem) return;
        this.stop(
          new WorkerError(
            this.started
              ? `the thread that computed this ended (${reason.message}); another takes its place, so ask again`
              : `no thread could be started (${reason.message}); load with { worker: false } computes on the calling thread`,
            this.started,
          ),
        );
        onEnd(this);
      },
    });
  }

  private hear(reply: ThreadReply): void {
    if (reply.kind === 'ready') {
      this.started = true;
      return;
    }
    const waiting = this.waiting.get(reply.number);
    this.waiting.delete(reply.number);
    if (this.waiting.size === 0) this.thread.release();
    if (reply.kind === 'done') waiting?.resolve(reply.result);
    else waiting?.reject(receivedError(reply.error));
  }

  private stop(problem: Error): void {
    this.problem = problem;
    for (const { reject } of this.waiting.values()) reject(problem);
    this.waiting.clear();
  }

  /** @throws what the thread throws; WorkerError when it ends before it answers */
  ask(question: Question, transfer?: readonly ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.problem) return reject(this.problem);
      const number = this.asked++;
      this.thread.post({ ...question, number } as ThreadMessage, transfer);
      this.waiting.set(number, { resolve, reject });
      this.thread.hold();
    });
  }

  /** For messages that get no answer. */
  tell(message: Exclude<ThreadMessage, Numbered>, transfer?: readonly ArrayBuffer[]): void {
    if (!this.problem) this.thread.post(message, transfer);
  }

  end(problem: Error): void {
    if (!this.problem) this.stop(problem);
    this.thread.end();
  }
}
