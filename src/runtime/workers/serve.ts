import type { Port } from '../../backend/platform/threads.ts';
import { useBackend } from '../../backend/select.ts';
import { loadWasm } from '../../backend/wasm/load.ts';
import { answer } from '../cpu-executor.ts';
import type { InputValues } from '../executor.ts';
import { loadPackedModel, type PackedModel } from '../packed-model.ts';
import { type LoadAnswer, sentError, type ThreadMessage, type ThreadReply } from './messages.ts';

/** Ends a run whose answer nobody waits for, between two nodes. */
class Left extends Error {}

/** The thread's side: loads and runs models as it is told. */
class Server {
  private readonly models = new Map<number, PackedModel>();
  /** Inputs that come in pieces, by their place. */
  private readonly pieced: InputValues[] = [];
  private left: Int32Array | null = null;

  private requireWanted(): void {
    if (this.left && Atomics.load(this.left, 0) === 1) throw new Left('nobody waits for this answer');
  }

  /** What is answered, and which buffers go with it. */
  async hear(message: ThreadMessage): Promise<{ result: unknown; transfer: ArrayBuffer[] }> {
    const nothing = { result: null, transfer: [] };
    switch (message.kind) {
      case 'start':
        if (message.wasm) await loadWasm(message.wasm);
        if (message.backend) useBackend(message.backend);
        this.left = message.left;
        return nothing;
      case 'load': {
        const model = loadPackedModel(message.file, message.limits);
        this.models.set(message.model, model);
        const { graph, memory, proof } = model;
        return { result: { graph, memory, proof } satisfies LoadAnswer, transfer: [] };
      }
      case 'piece': {
        const { input, length, at, values } = message;
        if (at === 0)
          this.pieced[input] = values instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length);
        this.pieced[input]!.set(values, at);
        return nothing;
      }
      case 'run': {
        const inputs = message.inputs.map((values, i) => values ?? this.pieced[i]!);
        this.pieced.length = 0;
        this.requireWanted();
        const result = answer(this.models.get(message.model)!, inputs, () => this.requireWanted());
        return { result, transfer: result.map(({ buffer }) => buffer as ArrayBuffer) };
      }
      case 'drop':
        this.models.delete(message.model);
        return nothing;
    }
  }
}

/** Serves the thread that started this one, message after message. */
export function serve(port: Port): void {
  const server = new Server();
  const reply = (message: ThreadReply, transfer: ArrayBuffer[] = []) => port.post(message, transfer);
  /** Of a message that gets no reply: the next one that does tells it. */
  let problem: unknown;
  const handle = async (message: ThreadMessage) => {
    const number = 'number' in message ? message.number : null;
    try {
      const { result, transfer } = await server.hear(message);
      if (problem !== undefined && number !== null) throw problem;
      if (number !== null) reply({ kind: 'done', number, result }, transfer);
    } catch (error) {
      if (number !== null) reply({ kind: 'failed', number, error: sentError(problem ?? error) });
      problem = number === null ? error : undefined;
    }
  };
  let before = Promise.resolve();
  port.hear((message) => {
    before = before.then(() => handle(message as ThreadMessage));
  });
  reply({ kind: 'ready' });
}
