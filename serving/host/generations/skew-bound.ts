import type { Log, TopicPartition } from '../../../log/index.ts';

export interface SkewBound {
  readonly log: Pick<Log, 'committedOffsets' | 'listOffsets' | 'read'>;
  /** Of the replay. */
  readonly group: string;
  readonly skewMs: number;
}

/**
 * How far each partition may be read now, so that in event time none is more than `skewMs` ahead of the one that is furthest back: what
 * comes together behind a repartition is as old as its oldest part, and windows drop what is late. An instance takes its oldest head
 * first, but knows nothing of the others' partitions; the log knows of all where the group is.
 *
 * `ends`: where each ends in any case. At least a record of each partition is let through.
 */
export async function withinSkew(
  { log, group, skewMs }: SkewBound,
  partitions: readonly TopicPartition[],
  ends: readonly number[],
): Promise<readonly number[]> {
  const committed = await log.committedOffsets(group, partitions);
  const heads = await Promise.all(
    partitions.map(async (of, at) => {
      const from = committed[at] ?? (await log.listOffsets(of, 'earliest'));
      if (from >= ends[at]!) return undefined;
      const { records } = await log.read(of, from, { maxRecords: 1, maxBytes: 1 });
      return records[0];
    }),
  );
  const furthestBack = Math.min(...heads.map((head) => head?.timestamp ?? Infinity));
  if (furthestBack === Infinity) return ends;
  const timestamp = furthestBack + skewMs;
  return await Promise.all(
    partitions.map(async (of, at) => {
      const head = heads[at];
      if (head === undefined) return ends[at]!;
      const end = await log.listOffsets(of, { timestamp });
      return Math.min(ends[at]!, Math.max(end, head.timestamp <= timestamp ? head.offset + 1 : head.offset));
    }),
  );
}
