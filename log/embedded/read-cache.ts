import type { PartitionLog } from './partition-log.ts';
import { recordBytes } from '../record-bytes.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * Decoded batches that a reader stopped in the middle of, so that reading with small limits decodes a batch once.
 *
 * Bounded by bytes over all partitions, least recently used out first. An entry knows from which offset on it is the
 * answer (`from`: the gap before the batch belongs to it): below the last stable offset nothing can be put into a gap
 * any more. Compaction and a raised log start drop what they touch.
 */
export class ReadCache {
  readonly #maxBytes: number;
  #bytes = 0;
  /** In order of use. */
  readonly #entries = new Set<CachedBatch>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  find(partition: PartitionLog, offset: number): CachedBatch | undefined {
    for (const entry of partition.cached) {
      if (entry.from > offset || entry.batch.lastOffset < offset) continue;
      this.#entries.delete(entry);
      this.#entries.add(entry);
      return entry;
    }
    return undefined;
  }

  add(partition: PartitionLog, from: number, batch: RecordBatch): void {
    let bytes = 0;
    for (const record of batch.records) bytes += recordBytes(record) + objectBytes;
    if (bytes > this.#maxBytes) return;
    const twin = partition.cached.find((entry) => entry.batch.lastOffset === batch.lastOffset);
    if (twin !== undefined) this.#remove(twin);
    const entry: CachedBatch = { partition, from, batch, bytes };
    partition.cached.push(entry);
    this.#entries.add(entry);
    this.#bytes += bytes;
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  forget(partition: PartitionLog): void {
    for (const entry of partition.cached.slice()) this.#remove(entry);
  }

  #remove(entry: CachedBatch): void {
    this.#entries.delete(entry);
    this.#bytes -= entry.bytes;
    const { cached } = entry.partition;
    cached.splice(cached.indexOf(entry), 1);
  }
}

export interface CachedBatch {
  readonly partition: PartitionLog;
  readonly from: number;
  readonly batch: RecordBatch;
  readonly bytes: number;
}

/** A decoded record with its two views, roughly. */
const objectBytes = 280;
