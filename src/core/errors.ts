/** Base of every error Signum throws on purpose: its message tells the user what to do, so the CLI prints it without a stack. */
export class SignumError extends Error {
  override name = 'SignumError';
}

/** Tensor shapes or layer settings that do not fit together. */
export class ShapeError extends SignumError {
  override name = 'ShapeError';
}

/** A data set is missing, empty or damaged. */
export class DataError extends SignumError {
  override name = 'DataError';
}

/** A model, checkpoint or other file is corrupt, truncated or of an unknown version. */
export class FormatError extends SignumError {
  override name = 'FormatError';
}

/** The caller asked for something that does not exist or is not legal (option, method or model name). */
export class UsageError extends SignumError {
  override name = 'UsageError';
}

/** The thread that computed for the caller ended, or could not be started. */
export class WorkerError extends SignumError {
  override name = 'WorkerError';
  /** Whether it ever ran: a place that forbids threads will forbid the next one too. */
  readonly started: boolean;

  constructor(message: string, started = true) {
    super(message);
    this.started = started;
  }
}

/** Training produced NaN or Infinity. */
export class DivergenceError extends SignumError {
  override name = 'DivergenceError';
}

/** A packed network does not answer as the trained one does. */
export class PackError extends SignumError {
  override name = 'PackError';
}

/** Another living process is writing what was to be written. */
export class TakenError extends SignumError {
  override name = 'TakenError';
}

/** A signal asked the process to stop, and it has. */
export class InterruptError extends SignumError {
  override name = 'InterruptError';
  /** SIGINT (Ctrl-C) or SIGTERM. */
  readonly signal: 'SIGINT' | 'SIGTERM';
  /** What `--json` prints of it; null when everything is printed. */
  readonly result: Readonly<Record<string, unknown>> | null;

  constructor(
    signal: 'SIGINT' | 'SIGTERM',
    message = 'stopped',
    result: Readonly<Record<string, unknown>> | null = { finished: false },
  ) {
    super(message);
    this.signal = signal;
    this.result = result;
  }
}
