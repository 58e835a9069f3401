import type { FetchedRecord, Log, LogRecord, TopicPartition } from '../../log/index.ts';
import { prefixEnd, type BatchWriter, type GroupCommit, type StoreChange } from '../../state/index.ts';
import type { ApplicationState, ChangelogPosition } from '../runtime/application-state.ts';

/**
 * A partition of a changelog: everything that a store holds, as the last record of each key, written in the transactions that
 * changed it (Kafka Streams' fault-tolerant state stores). What a local store lacks is the tail behind its position.
 */
export interface Changelog {
  readonly of: TopicPartition;
  /** Names the position in the folder. */
  readonly name: string;
  /** Takes a record into the local state. */
  apply(writer: BatchWriter, record: FetchedRecord): void;
  /** Empties the local state. */
  clear(writer: BatchWriter): void;
}

export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/** Rows in the state family, under a prefix. */
export function storeChangelog(of: TopicPartition, prefix: Uint8Array): Changelog {
  return {
    of,
    name: `${of.topic}/${of.partition}`,
    apply: (writer, { key, value }) => {
      const row = Buffer.concat([prefix, key!]);
      if (value === null) writer.delete('state', row);
      else writer.put('state', row, value);
    },
    clear: (writer) => writer.deleteRange('state', prefix, prefixEnd(prefix)),
  };
}

/** Clocks and punctuation schedule of one task: the records of its id, among those of other tasks of the partition. */
export function taskChangelog(of: TopicPartition, taskId: string, state: ApplicationState): Changelog {
  return {
    of,
    name: `${of.topic}/${of.partition}/${taskId}`,
    apply: (writer, { key, value }) => {
      if (value !== null && Buffer.from(key!).toString() === taskId) state.stageTask(writer, taskId, value);
    },
    clear: () => undefined,
  };
}

export function changelogRecord({ key, value }: StoreChange, timestamp: number): LogRecord {
  return { key, value, timestamp };
}

export interface RestoreOptions {
  readonly log: Pick<Log, 'read' | 'listOffsets'>;
  readonly commits: GroupCommit;
  readonly state: ApplicationState;
  readonly nowMs: () => number;
  /** A position that is older lacks tombstones that are gone by now: half of the changelog's `delete.retention.ms`. */
  readonly positionAgeMsMax: number;
  /** True: the task was taken away, and the rest is not needed. */
  readonly cancelled: () => boolean;
  readonly onProgress: (progress: RestoreProgress) => void;
}

export interface RestoreProgress extends TopicPartition {
  /** The next record to take in, and behind the last one. */
  readonly offset: number;
  readonly endOffset: number;
  readonly records: number;
  /** The local state was of no use, and began empty. */
  readonly full: boolean;
}

/**
 * Brings local state up to the end of its changelog: the tail only, where the folder's position is still good. Call it after the
 * task's transactional id was taken over: nobody else writes the changelog then, and what an earlier owner had begun is settled.
 */
export async function restore(changelog: Changelog, options: RestoreOptions): Promise<void> {
  const { log, commits, state } = options;
  const { of } = changelog;
  const endOffset = await log.listOffsets(of, 'latest');
  const position = await state.changelogPosition(changelog.name);
  const earliest = await log.listOffsets(of, 'earliest');
  const full = position === undefined || !isGood(position, { earliest, endOffset }, options);
  let offset = full ? earliest : position.offset;
  if (full) {
    await commits.submit((writer) => {
      changelog.clear(writer);
      state.stageChangelogPosition(writer, changelog.name, { offset, committedMs: options.nowMs() });
    });
  }
  let records = 0;
  while (offset < endOffset && !options.cancelled()) {
    const fetched = await log.read(of, offset, restoreLimits);
    await commits.submit((writer) => {
      for (const record of fetched.records) changelog.apply(writer, record);
      state.stageChangelogPosition(writer, changelog.name, {
        offset: fetched.nextOffset,
        committedMs: options.nowMs(),
      });
    });
    offset = fetched.nextOffset;
    records += fetched.records.length;
    options.onProgress({ ...of, offset, endOffset, records, full });
  }
}

/** Records of one write. */
const restoreLimits = { maxRecords: 10_000, maxBytes: 4 * 1024 * 1024 };

function isGood(
  position: ChangelogPosition,
  { earliest, endOffset }: { readonly earliest: number; readonly endOffset: number },
  { nowMs, positionAgeMsMax }: RestoreOptions,
): boolean {
  if (position.offset < earliest || position.offset > endOffset) return false;
  return nowMs() - position.committedMs <= positionAgeMsMax;
}
