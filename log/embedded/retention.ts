import type { Engine } from '../../state/engine.ts';
import type { PartitionLog } from './partition-log.ts';
import { decodeBatchHeader } from './record-batch.ts';
import type { TimeIndex } from './time-index.ts';

/**
 * Where the log start of a partition should be by its topic's retention. Whole batches from the head: those whose
 * youngest record is older than `retentionMs`, and those without which the partition still has `retentionBytes`, as
 * Kafka counts for segments. Never beyond the last stable offset.
 */
export async function retentionStart(
  engine: Engine,
  partition: PartitionLog,
  index: TimeIndex,
  nowMs: number,
): Promise<number> {
  const { cleanup, retentionMs, retentionBytes } = partition.spec;
  const { logStart, lastStable } = partition;
  if (cleanup === 'compact' || (retentionMs === undefined && retentionBytes === undefined)) return logStart;
  const expiredBefore = retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - retentionMs;
  let surplus = retentionBytes === undefined ? 0 : (await index.bytes()) - retentionBytes;
  let start = logStart;
  const range = { gte: partition.key(logStart), lt: partition.key(Math.max(logStart, lastStable)) };
  for await (const chunk of engine.range('log', range)) {
    for (const { value } of chunk) {
      const { maxTimestamp, lastOffset } = decodeBatchHeader(value);
      if (maxTimestamp >= expiredBefore && surplus < value.length) return start;
      surplus -= value.length;
      start = lastOffset + 1;
    }
  }
  return start;
}
