import type { BatchWriter, Engine } from './engine.ts';
import { WriteBatchBuilder } from './write-batch.ts';

/**
 * One batch in flight at a time, and everybody who comes meanwhile shares the next one.
 *
 * `submit` calls `fill` when its batch is put together (synchronously, in the order of submission) and resolves when
 * that batch is durable. A `fill` that throws rejects its own submission only and leaves nothing in the batch.
 */
export interface GroupCommit {
  submit(fill: (writer: BatchWriter) => void, options?: { readonly sync?: boolean }): Promise<void>;
  /** Resolves when nothing is in flight or waiting. */
  idle(): Promise<void>;
}

export interface GroupCommitOptions {
  /** A batch that has reached this many bytes takes nobody else in; the next one does. Default 16 MiB. */
  readonly batchBytesMax?: number;
}

/**
 * A batch is synced when one of its members asked for it. An empty one is not written, but an empty one with `sync`
 * still makes everything durable that was written before.
 */
export function createGroupCommit(engine: Engine, options: GroupCommitOptions = {}): GroupCommit {
  return new SharedCommit(engine, options.batchBytesMax ?? 16 * 1024 * 1024);
}

interface Submission {
  readonly fill: (writer: BatchWriter) => void;
  readonly sync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class SharedCommit implements GroupCommit {
  readonly #engine: Engine;
  readonly #batchBytesMax: number;
  #waiting: Submission[] = [];
  #running: Promise<void> | undefined;

  constructor(engine: Engine, batchBytesMax: number) {
    this.#engine = engine;
    this.#batchBytesMax = batchBytesMax;
  }

  submit(fill: (writer: BatchWriter) => void, options: { readonly sync?: boolean } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fill, sync: options.sync ?? false, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // Whoever submits in the same turn shares the first batch.
    while (this.#waiting.length > 0) {
      const batch = new WriteBatchBuilder();
      const members = this.#fill(batch);
      try {
        const sync = members.some((member) => member.sync);
        if (batch.operations.length > 0 || sync) await this.#engine.write(batch, { sync });
        for (const member of members) member.resolve();
      } catch (error) {
        for (const member of members) member.reject(error);
      }
    }
    this.#running = undefined;
  }

  #fill(batch: WriteBatchBuilder): readonly Submission[] {
    const members: Submission[] = [];
    const waiting = this.#waiting;
    this.#waiting = [];
    let taken = 0;
    for (const submission of waiting) {
      if (batch.bytes >= this.#batchBytesMax) break;
      taken++;
      const mark = batch.mark();
      try {
        submission.fill(batch);
        members.push(submission);
      } catch (error) {
        batch.rollback(mark);
        submission.reject(error);
      }
    }
    batch.seal();
    if (taken < waiting.length) this.#waiting = [...waiting.slice(taken), ...this.#waiting];
    return members;
  }
}
