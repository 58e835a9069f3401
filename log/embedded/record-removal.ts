import type { Engine } from '../../state/engine.ts';
import type { FetchedRecord } from '../log.ts';
import { rewriteBatches } from './batch-rewriting.ts';
import type { PartitionLog, Rewrite } from './partition-log.ts';
import { decodeRecordBatch } from './record-batch.ts';

/**
 * Takes single records out of a partition for ever, wherever they stand: for what a person wants forgotten. The others keep
 * their offsets, as after a compaction. A batch is decoded only when its bytes may hold such a record.
 */
export interface RecordRemoval {
  /** Only records below this offset are looked at. */
  readonly belowOffset: number;
  /** Whether an encoded batch may hold a record to remove; false is believed. */
  mayHold(batch: Uint8Array): boolean;
  removes(record: FetchedRecord): boolean;
}

/** How many records were removed. `rewrite` writes a bounded step. */
export async function removeRecords(
  engine: Engine,
  partition: PartitionLog,
  { belowOffset, mayHold, removes }: RecordRemoval,
  rewrite: (batches: readonly Rewrite[]) => Promise<void>,
): Promise<number> {
  const end = Math.min(belowOffset, partition.lastStable);
  let removed = 0;
  await rewriteBatches(engine, partition, {
    // A batch is keyed by its last offset, so the one that holds `end` may stand above it.
    end: partition.lastStable,
    rewrite,
    thin: (bytes) => {
      if (!mayHold(bytes)) return undefined;
      const { records, ...batch } = decodeRecordBatch(bytes);
      const kept = records.filter((record) => record.offset >= end || !removes(record));
      removed += records.length - kept.length;
      return kept.length === records.length ? undefined : { ...batch, records: kept };
    },
  });
  return removed;
}
