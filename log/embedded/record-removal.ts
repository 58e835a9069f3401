import type { Engine } from '../../state/engine.ts';
import type { FetchedRecord } from '../log.ts';
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
  let step: Rewrite[] = [];
  let stepBytes = 0;
  // A batch is keyed by its last offset, so the one that holds `end` may stand at or above it.
  for await (const chunk of engine.range('log', {
    gte: partition.key(partition.logStart),
    lt: partition.key(partition.lastStable),
  })) {
    for (const { value } of chunk) {
      if (!mayHold(value)) continue;
      const batch = decodeRecordBatch(value);
      const records = batch.records.filter((record) => record.offset >= end || !removes(record));
      if (records.length === batch.records.length) continue;
      removed += batch.records.length - records.length;
      step.push({
        baseOffset: batch.baseOffset,
        lastOffset: batch.lastOffset,
        deleteHorizonMs: batch.deleteHorizonMs,
        records,
      });
      stepBytes += value.length;
      if (stepBytes < stepBytesMax) continue;
      await rewrite(step);
      step = [];
      stepBytes = 0;
    }
  }
  if (step.length > 0) await rewrite(step);
  return removed;
}

const stepBytesMax = 4 * 1024 * 1024;
