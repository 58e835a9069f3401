import type { Engine } from '../../state/engine.ts';
import type { FetchedRecord } from '../log.ts';
import { rewriteBatches } from './batch-rewriting.ts';
import type { PartitionLog, Rewrite } from './partition-log.ts';
import { decodeRecordBatch, type RecordBatch } from './record-batch.ts';

/**
 * Compaction: only the last record of every key stays, at its offset.
 *
 *     log start ....... compacted up to ............ last stable ....... end
 *                            | dirty: 1. the last offset of every key here |
 *     | 2. every batch from the log start on, without what has a later value |
 *
 * The map of keys is bounded: when it is full the pass ends at that offset, and the next one goes on. A tombstone has
 * to outlive the readers that still hold the value it deletes: the pass that first meets it stamps its batch with a
 * horizon, a pass after the horizon drops it (KIP-534). What lies above the last stable offset is not looked at.
 *
 * A rewrite replaces a batch under its own key within one write, so a reader sees the old one or the new one. Records
 * without a key are kept; `produce` refuses them on a compacted topic.
 */
export async function compact(engine: Engine, partition: PartitionLog, options: CompactionOptions): Promise<boolean> {
  const { nowMs, keysMax, rewrite, done } = options;
  const { end, lastOffsets } = await lastOffsetsOfKeys(engine, partition, keysMax);
  const horizonMs = nowMs + (partition.spec.deleteRetentionMs ?? defaultDeleteRetentionMs);
  let nextHorizonMs = 0;
  const changed = await rewriteBatches(engine, partition, {
    end,
    rewrite,
    thin: (bytes) => {
      const batch = decodeRecordBatch(bytes);
      const thinned = thin(batch, lastOffsets, nowMs, horizonMs);
      const horizon = (thinned ?? batch).deleteHorizonMs;
      if (horizon > nowMs && (nextHorizonMs === 0 || horizon < nextHorizonMs)) nextHorizonMs = horizon;
      return thinned;
    },
  });
  await done({ compactedUpTo: end, nextHorizonMs });
  return changed;
}

export interface CompactionOptions {
  readonly nowMs: number;
  readonly keysMax: number;
  /** Writes a bounded step. */
  readonly rewrite: (batches: readonly Rewrite[]) => Promise<void>;
  /** All below is compact now, and the next tombstones are due at the horizon (0: there are none). */
  readonly done: (result: { readonly compactedUpTo: number; readonly nextHorizonMs: number }) => Promise<void>;
}

async function lastOffsetsOfKeys(engine: Engine, partition: PartitionLog, keysMax: number) {
  const end = partition.lastStable;
  const start = Math.max(partition.compactedUpTo, partition.logStart);
  const lastOffsets = new Map<string, number>();
  const range = { gte: partition.key(start), lt: partition.key(Math.max(start, end)) };
  for await (const chunk of engine.range('log', range)) {
    for (const { value } of chunk) {
      const batch = decodeRecordBatch(value);
      for (const record of batch.records) {
        if (record.key !== null) lastOffsets.set(token(record.key), record.offset);
      }
      if (lastOffsets.size >= keysMax) return { end: batch.lastOffset + 1, lastOffsets };
    }
  }
  return { end, lastOffsets };
}

/** The batch without what later records replace; undefined when it stays as it is. */
function thin(
  batch: RecordBatch,
  lastOffsets: ReadonlyMap<string, number>,
  nowMs: number,
  horizonMs: number,
): Rewrite | undefined {
  const due = batch.deleteHorizonMs !== 0 && batch.deleteHorizonMs <= nowMs;
  const records: FetchedRecord[] = [];
  let tombstones = 0;
  for (const record of batch.records) {
    if (record.key !== null) {
      if ((lastOffsets.get(token(record.key)) ?? -1) > record.offset) continue;
      if (record.value === null) {
        if (due) continue;
        tombstones++;
      }
    }
    records.push(record);
  }
  const stamp = tombstones > 0 && batch.deleteHorizonMs === 0;
  if (records.length === batch.records.length && !stamp) return undefined;
  const deleteHorizonMs = stamp ? horizonMs : batch.deleteHorizonMs;
  const { baseOffset, lastOffset, appendTimeMs } = batch;
  return { baseOffset, lastOffset, appendTimeMs, deleteHorizonMs, records };
}

/** Bytes as a Map key: one character a byte. */
function token(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

const defaultDeleteRetentionMs = 24 * 3600 * 1000;
