import type { BatchWriter } from '../../state/engine.ts';
import type { LogRecord, TopicPartition } from '../log.ts';

/**
 * How the embedded runtime appends inside its own atomic unit, below the port.
 *
 * The runtime's tasks hand records to each other before the commit, so offsets are given out at once and bytes are
 * written with the commit:
 *
 *     reserve ──> base offset; readers of the log stop there (last stable offset) until it is settled
 *     stage   ──> puts the record batch into the unit's WriteBatch
 *     stageEnd ─> puts the partition's end offset into it (also when no record is written: a repartition record that
 *                 was consumed inside the unit leaves only its offset behind)
 *     settle  ──> the unit is durable, or abandoned: readers may pass. Abandoned offsets stay a gap.
 */
export interface LogAppender {
  reserve(partition: TopicPartition, count: number): number;
  stage(writer: BatchWriter, partition: TopicPartition, baseOffset: number, records: readonly LogRecord[]): void;
  stageEnd(writer: BatchWriter, partition: TopicPartition): void;
  /** Offsets a group has consumed, in the same unit. */
  stageOffsets(writer: BatchWriter, group: string, offsets: readonly (TopicPartition & { offset: number })[]): void;
  /** Raises the log start with the unit (purged repartition topics). */
  stageLogStart(writer: BatchWriter, partition: TopicPartition, offset: number): void;
  settle(partition: TopicPartition, upToOffset: number): void;
  /** Calls back after each durable append to the topic by anybody. Returns the way to stop. */
  onAppend(listener: (partition: TopicPartition) => void): () => void;
}
