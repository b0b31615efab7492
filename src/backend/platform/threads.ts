/** A thread that computes for this one: a worker of Node.js or of a page. */
export interface Thread {
  /** @param transfer buffers that go over without being copied, and are gone here */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** The process does not end while it computes. */
  hold(): void;
  /** It alone does not keep the process alive. */
  release(): void;
  end(): void;
}

/** What is heard of a thread. */
export interface Ears {
  message(message: unknown): void;
  /** It ended by itself, or could not start. */
  ended(reason: Error): void;
}

/** How a thread talks to the one that started it. */
export interface Port {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  hear(listener: (message: unknown) => void): void;
}
