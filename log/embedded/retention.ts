import { prefixEnd } from '../../state/byte-order.ts';
import type { Engine } from '../../state/engine.ts';
import { decodeOffsets, offsetKey } from './layout.ts';
import type { PartitionLog } from './partition-log.ts';
import { decodeBatchHeader } from './record-batch.ts';
import type { TimeIndex } from './time-index.ts';

/**
 * Where the log start of a partition should be by its topic's retention. Whole batches from the head: those that were
 * appended more than `retentionMs` ago, and those without which the partition still has `retentionBytes`, as Kafka
 * counts for segments. Never beyond the last stable offset.
 *
 *     append time   |  -9 d  |  -8 d  |  -2 d  |  now  |       retentionMs: 7 days
 *     event time    |  2009  |  now   |  2009  |  now  |
 *                                     ^ log start: what an event says of its own time does not matter
 *
 * Kafka goes by the records' timestamps (`message.timestamp.type` CreateTime, its default), so there a replayed year of
 * 2009 is deleted from a topic with a retention of days as soon as it has been appended. With LogAppendTime it is not, but
 * the records lose their own times, which windows and figures here are made of. We keep both times, and retention goes by
 * the append time.
 *
 * Kafka does not look at the offsets of consumer groups either: who is slow loses records. That is right for a topic that
 * anybody may read, and it is so here. A topic between the tasks of a topology (`retainsUnread`) has one reader, and a record lost
 * there is a wrong result that nobody hears of. So what a group has not committed past stays whatever its age, all of it
 * when no group has committed anything. Kafka Streams has no retention on such topics for the same reason.
 */
export async function retentionStart(
  engine: Engine,
  partition: PartitionLog,
  index: TimeIndex,
  { nowMs, appendTimesSinceMs = Number.POSITIVE_INFINITY }: RetentionClock,
): Promise<number> {
  const { cleanup, retentionMs, retentionBytes, retainsUnread } = partition.spec;
  const { logStart } = partition;
  if (cleanup === 'compact' || (retentionMs === undefined && retentionBytes === undefined)) return logStart;
  const expiredBefore = retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - retentionMs;
  let surplus = retentionBytes === undefined ? 0 : (await index.bytes()) - retentionBytes;
  let start = logStart;
  const end = retainsUnread === true ? await readByAll(engine, partition) : partition.lastStable;
  const range = { gte: partition.key(logStart), lt: partition.key(Math.max(logStart, end)) };
  for await (const chunk of engine.range('log', range)) {
    for (const { value } of chunk) {
      const { appendTimeMs = appendTimesSinceMs, lastOffset } = decodeBatchHeader(value);
      if (appendTimeMs >= expiredBefore && surplus < value.length) return start;
      surplus -= value.length;
      start = lastOffset + 1;
    }
  }
  return start;
}

export interface RetentionClock {
  readonly nowMs: number;
  /** Taken for the append time of batches that have none. Default: they stay. */
  readonly appendTimesSinceMs?: number | undefined;
}

/** The lowest of the offsets that groups have committed for the partition; the log start when there is no group. */
async function readByAll(engine: Engine, { topicId, partition, logStart, lastStable }: PartitionLog): Promise<number> {
  let lowest: number | undefined;
  const groups = offsetKey(topicId, partition, '');
  for await (const chunk of engine.range('meta', { gte: groups, lt: prefixEnd(groups) })) {
    for (const { value } of chunk) lowest = Math.min(lowest ?? lastStable, decodeOffsets(value)[0] ?? 0);
  }
  return lowest ?? logStart;
}
