import type { FetchedRecord, LogRecord, TopicPartition } from '../../log/index.ts';
import { prefixEnd, type BatchWriter, type StoreChange } from '../../state/index.ts';
import type { ApplicationState } from '../runtime/application-state.ts';

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
