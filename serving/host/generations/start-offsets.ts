import type { Log, TopicPartition } from '../../../log/index.ts';
import { shopTopics } from '../../../processors/index.ts';
import { MillraceError } from '../../../schemas/index.ts';
import type { ReplayStart, SourceOffset } from '../messages.ts';

/**
 * Where a replay begins: in `interactions` as was asked, in `products.history` always at the beginning, for products are what
 * the catalogue says now, not what happened since.
 *
 * @throws MillraceError `SOURCE_TRIMMED` when records before that are gone and nobody has said that this is known;
 *   `INVALID_ARGUMENT`
 */
export async function startOffsetsOf(
  log: Log,
  partitions: number,
  { from, trimmed }: { readonly from: ReplayStart; readonly trimmed: boolean },
): Promise<readonly SourceOffset[]> {
  const { interactions, productsHistory } = shopTopics;
  if (from.kind === 'offsets' && ![1, partitions].includes(from.offsets.length)) {
    const message = `A start wants one offset, or one for each of ${partitions} partitions, found ${from.offsets.length}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { partitions, found: from.offsets.length });
  }
  const starts: SourceOffset[] = [];
  for (const topic of [interactions, productsHistory]) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const of = { topic, partition };
      const offset = topic === interactions ? await wanted(log, of, from) : 0;
      const logStart = await log.listOffsets(of, 'earliest');
      const end = await log.listOffsets(of, 'latest');
      // A time before the log's start gives the log's start: what was between the two is not known.
      const isGone =
        offset < logStart || (from.kind === 'time' && topic === interactions && logStart > 0 && offset === logStart);
      if (isGone && !trimmed) throw isTrimmed({ ...of, offset, logStart });
      if (offset > end) throw isAhead({ ...of, offset, end });
      starts.push({ ...of, offset: Math.max(offset, logStart) });
    }
  }
  return starts.filter(({ offset }) => offset > 0);
}

async function wanted(log: Log, of: Omit<SourceOffset, 'offset'>, from: ReplayStart): Promise<number> {
  switch (from.kind) {
    case 'earliest':
      return 0;
    case 'time':
      return await log.listOffsets(of, { timestamp: from.timeMs });
    case 'offsets':
      return from.offsets[of.partition] ?? from.offsets[0]!;
  }
}

/** That a kept generation can go on where it was left. */
export async function checkNotTrimmed(log: Log, committed: readonly SourceOffset[]): Promise<void> {
  for (const of of committed) {
    const logStart = await log.listOffsets(of, 'earliest');
    if (of.offset < logStart) throw isTrimmed({ ...of, logStart });
  }
}

function isTrimmed(facts: SourceOffset & { readonly logStart: number }): MillraceError {
  const { topic, partition, offset, logStart } = facts;
  return new MillraceError(
    'SOURCE_TRIMMED',
    `Reading '${topic}' ${partition} wants to begin at offset ${offset}, but its records before ${logStart} are gone.`,
    { ...facts },
  );
}

function isAhead(facts: SourceOffset & { readonly end: number }): MillraceError {
  const { topic, partition, offset, end } = facts;
  const message = `Reading '${topic}' ${partition} wants to begin at offset ${offset}, but it ends at ${end}.`;
  return new MillraceError('INVALID_ARGUMENT', message, { ...facts });
}

/** Of the topics that a generation is computed from. */
export function sourcePartitions(partitions: number): TopicPartition[] {
  return [shopTopics.interactions, shopTopics.productsHistory].flatMap((topic) => partitionsOf(topic, partitions));
}

export function partitionsOf(topic: string, partitions: number): TopicPartition[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
}
