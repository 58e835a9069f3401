import type { Engine } from '../../state/engine.ts';
import type { GroupCommit } from '../../state/group-commit.ts';
import type { Catalog } from './catalog.ts';
import { compact } from './compaction.ts';
import { producerKey } from './layout.ts';
import type { PartitionLog, Rewrite } from './partition-log.ts';
import type { ReadCache } from './read-cache.ts';
import { removeRecords, type RecordRemoval } from './record-removal.ts';
import { retentionStart } from './retention.ts';
import type { TimeIndex } from './time-index.ts';

/**
 * Housekeeping: retention, compaction, forgotten producers, a partition after the other.
 *
 * Each step is one submission to the group commit, between those of appends, and looks at the partition again when it
 * is its turn: what a raised log start has deleted meanwhile is not written back. A pass that is asked for while one
 * runs is that one.
 */
export class Cleaner {
  readonly #context: CleanerContext;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(context: CleanerContext) {
    this.#context = context;
  }

  clean(): Promise<void> {
    this.#running ??= this.#pass().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Takes single records out of a partition, for ever; between two passes. How many they were. */
  async removeRecords(partition: PartitionLog, removal: RecordRemoval): Promise<number> {
    const { engine, timeIndex } = this.#context;
    const removed = await this.betweenPasses(() =>
      removeRecords(engine, partition, removal, (batches) => this.#rewrite(partition, batches)),
    );
    timeIndex(partition).forget();
    return removed;
  }

  /** What `work` does is done while no pass runs. */
  async betweenPasses<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined); // Whoever asked for the pass hears of it.
    const done = work();
    this.#running = done.then(() => undefined).finally(() => (this.#running = undefined));
    await this.#running;
    return done;
  }

  start(intervalMs: number): Disposable {
    const timer = setInterval(() => this.clean().catch(this.#context.onError), intervalMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Ends a pass after the partition it is at. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // Whoever asked for the pass hears of its failure; here only its end matters.
    await this.#running?.catch(() => undefined);
  }

  async #pass(): Promise<void> {
    const nowMs = this.#context.clock();
    for (const topic of this.#context.catalog.all()) {
      for (const partition of topic.partitions) {
        if (this.#stopped) return;
        await this.#forgetProducers(partition, nowMs);
        await this.#retain(partition, nowMs);
        if (partition.isCompacted && this.#worthCompacting(partition, nowMs)) await this.#compact(partition, nowMs);
      }
    }
  }

  async #retain(partition: PartitionLog, nowMs: number): Promise<void> {
    const { engine, commits, cache, timeIndex, catalog } = this.#context;
    const { appendTimesSinceMs } = catalog;
    const start = await retentionStart(engine, partition, timeIndex(partition), { nowMs, appendTimesSinceMs });
    if (start <= partition.logStart) return;
    await commits.submit((writer) => partition.stageLogStart(writer, start));
    cache.forget(partition);
  }

  #worthCompacting(partition: PartitionLog, nowMs: number): boolean {
    const { logStart, lastStable, compactedUpTo, nextHorizonMs } = partition;
    const dirty = lastStable - Math.max(compactedUpTo, logStart);
    if (dirty > 0 && dirty >= (lastStable - logStart) * this.#context.minDirtyRatio) return true;
    return nextHorizonMs !== 0 && nextHorizonMs <= nowMs;
  }

  async #compact(partition: PartitionLog, nowMs: number): Promise<void> {
    const { engine, commits, timeIndex, compactionKeysMax: keysMax } = this.#context;
    const changed = await compact(engine, partition, {
      nowMs,
      keysMax,
      rewrite: (batches) => this.#rewrite(partition, batches),
      done: (result) =>
        commits.submit((writer) => {
          partition.compactedUpTo = result.compactedUpTo;
          partition.nextHorizonMs = result.nextHorizonMs;
          partition.stageEnd(writer);
        }),
    });
    if (changed) timeIndex(partition).forget();
  }

  async #rewrite(partition: PartitionLog, batches: readonly Rewrite[]): Promise<void> {
    await this.#context.commits.submit((writer) => {
      for (const batch of batches) partition.stageRewrite(writer, batch);
    });
    this.#context.cache.forget(partition);
  }

  async #forgetProducers(partition: PartitionLog, nowMs: number): Promise<void> {
    const expired = [...partition.producers].filter(([, p]) => p.atMs < nowMs - this.#context.producerExpiryMs);
    if (expired.length === 0) return;
    await this.#context.commits.submit((writer) => {
      for (const [id, state] of expired) {
        if (partition.producers.get(id)?.atMs !== state.atMs) continue;
        partition.producers.delete(id);
        writer.delete('meta', producerKey(partition.topicId, partition.partition, id));
      }
    });
  }
}

export interface CleanerContext {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly catalog: Catalog;
  readonly cache: ReadCache;
  readonly clock: () => number;
  readonly minDirtyRatio: number;
  readonly compactionKeysMax: number;
  readonly producerExpiryMs: number;
  readonly timeIndex: (partition: PartitionLog) => TimeIndex;
  readonly onError: (error: unknown) => void;
}
