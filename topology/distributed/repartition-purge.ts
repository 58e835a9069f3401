import type { ConsumedOffset, Log } from '../../log/index.ts';

/**
 * Deletes what was processed of repartition topics: they are queues between the tasks of one application, and nobody else's
 * (Kafka Streams' `repartition.purge.interval.ms`). Beside what runs; what fails is tried again the next time.
 */
export class RepartitionPurge {
  readonly #options: PurgeOptions;
  readonly #purged = new Map<string, number>();
  #running: Promise<void> | undefined;
  #dueMs: number;

  constructor(options: PurgeOptions) {
    this.#options = options;
    this.#dueMs = performance.now() + options.intervalMs;
  }

  /** `committed`: what the group has, no marker further, or its next reader finds its place gone. Asked when it is time. */
  offer(committed: () => readonly ConsumedOffset[]): void {
    if (this.#running !== undefined || performance.now() < this.#dueMs) return;
    this.#running = this.#purge(committed())
      .catch(this.#options.onFailure)
      .finally(() => {
        this.#running = undefined;
        this.#dueMs = performance.now() + this.#options.intervalMs;
      });
  }

  /** Resolves when nothing is being deleted. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #purge(committed: readonly ConsumedOffset[]): Promise<void> {
    const { log, topics } = this.#options;
    for (const { topic, partition, offset } of committed) {
      const name = `${topic}/${partition}`;
      if (!topics.has(topic) || offset <= (this.#purged.get(name) ?? 0)) continue;
      await log.deleteRecords({ topic, partition }, offset);
      this.#purged.set(name, offset);
    }
  }
}

export interface PurgeOptions {
  readonly log: Pick<Log, 'deleteRecords'>;
  /** Full names. */
  readonly topics: ReadonlySet<string>;
  readonly intervalMs: number;
  readonly onFailure: (error: unknown) => void;
}
