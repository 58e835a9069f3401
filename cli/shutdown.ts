import { exitCodes } from './exit-codes.ts';

/**
 * SIGTERM and Ctrl-C. The first asks everything to finish: `signal` is aborted, and from then on the process has
 * `deadlineMs` to end. The second ends it at once; as nothing is acknowledged before it is durable, that loses nothing that
 * anybody was promised.
 */
export class Shutdown implements Disposable {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #deadlineMs: number;
  readonly #handler: () => void;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.signal = this.#controller.signal;
    this.#handler = () => this.#received();
    for (const name of signals) process.on(name, this.#handler);
  }

  get requested(): boolean {
    return this.signal.aborted;
  }

  /** Resolves with the first signal. */
  wait(): Promise<void> {
    if (this.requested) return Promise.resolve();
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Signals have their usual effect again. The deadline stays. */
  [Symbol.dispose](): void {
    for (const name of signals) process.off(name, this.#handler);
  }

  #received(): void {
    if (this.requested) process.exit(exitCodes.interrupted);
    // Does not keep the process alive, but ends it when something else does.
    setTimeout(() => {
      process.stderr.write(
        `Stopping took longer than ${this.#deadlineMs} ms and was broken off; the next start goes on from the last commit.\n`,
      );
      process.exit(exitCodes.error);
    }, this.#deadlineMs).unref();
    this.#controller.abort();
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;
