import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../schemas/errors.ts';
import type { ConsumedOffset, Log, TopicPartition } from '../../log/index.ts';
import type { Subtopology, TopologyGraph } from '../graph/graph.ts';

/** A consumer group, and what it reads. */
export interface GroupProgress {
  readonly log: Pick<Log, 'listOffsets' | 'committedOffsets' | 'read'>;
  readonly group: string;
  /** What is read, those in front first: what a stage has committed is in the topics of the next ones. */
  readonly stages: readonly (readonly TopicPartition[])[];
}

export interface CatchUp extends GroupProgress {
  /** True: nobody waits any more. */
  readonly isStopped: () => boolean;
}

/**
 * Resolves when a group has processed and committed all that the log has now, stage by stage, whichever instances it has: a stage's
 * outputs are committed together with its offsets, so the ends of the next one are looked at when those have come.
 *
 * @throws MillraceError `TASK_STOPPED`; what the log throws
 */
export async function groupCaughtUp({ log, group, stages, isStopped }: CatchUp): Promise<void> {
  for (const stage of stages) {
    let behind = await endsOf(log, stage);
    for (;;) {
      if (isStopped())
        throw new MillraceError('TASK_STOPPED', `Waiting for group '${group}' wants a runtime that runs.`, { group });
      behind = await stillBehind(log, group, behind);
      if (behind.length === 0) break;
      await sleep(50);
    }
  }
}

/** Whether it has come, now, to `ends` of what is read from outside, and to the end of all that follows from that. */
export async function groupHasReached(
  { log, group, stages }: GroupProgress,
  ends: readonly ConsumedOffset[],
): Promise<boolean> {
  for (const stage of stages) {
    const wanted = (await endsOf(log, stage)).map((each) => {
      const given = ends.find(({ topic, partition }) => topic === each.topic && partition === each.partition);
      return given ?? each;
    });
    if ((await stillBehind(log, group, wanted)).length > 0) return false;
  }
  return true;
}

async function endsOf(log: GroupProgress['log'], partitions: readonly TopicPartition[]): Promise<ConsumedOffset[]> {
  return await Promise.all(partitions.map(async (of) => ({ ...of, offset: await log.listOffsets(of, 'latest') })));
}

async function stillBehind(
  log: GroupProgress['log'],
  group: string,
  ends: readonly ConsumedOffset[],
): Promise<ConsumedOffset[]> {
  const partitions = ends.map(({ topic, partition }) => ({ topic, partition }));
  const committed = await log.committedOffsets(group, partitions);
  const left = await Promise.all(ends.map(async (end, at) => ((await reached(log, end, committed[at])) ? [] : [end])));
  return left.flat();
}

/** Between a group's offset and the end there may be what is no record: markers of transactions, what was compacted away. */
async function reached(
  log: GroupProgress['log'],
  { topic, partition, offset: end }: ConsumedOffset,
  committed: number | undefined,
): Promise<boolean> {
  const of = { topic, partition };
  let offset = committed ?? (await log.listOffsets(of, 'earliest'));
  while (offset < end) {
    const { records, nextOffset } = await log.read(of, offset, { maxRecords: 1, maxBytes: 1 });
    if (nextOffset === offset || (records[0] !== undefined && records[0].offset < end)) return false;
    offset = nextOffset;
  }
  return true;
}

/** Those that write what others read come before them, where no loop makes that impossible. */
export function subtopologiesInOrder(graph: TopologyGraph): readonly Subtopology[] {
  const ordered: Subtopology[] = [];
  const seen = new Set<Subtopology>();
  const add = (subtopology: Subtopology): void => {
    if (seen.has(subtopology)) return;
    seen.add(subtopology);
    for (const other of graph.subtopologies) if (writesFor(graph, other, subtopology)) add(other);
    ordered.push(subtopology);
  };
  for (const subtopology of graph.subtopologies) add(subtopology);
  return ordered;
}

function writesFor(graph: TopologyGraph, writer: Subtopology, reader: Subtopology): boolean {
  return writer.nodes.some((name) => {
    const node = graph.nodes.get(name)!;
    return node.kind === 'sink' && typeof node.topic === 'string' && reader.sourceTopics.includes(node.topic);
  });
}
