import { MillraceError } from '../../schemas/errors.ts';
import type { BatchWriter } from '../../state/engine.ts';
import type { FetchedRecord, LogRecord, TopicPartition, TopicSpec } from '../log.ts';
import { batchKey, decodeOffsets, encodeOffsets, partitionKey } from './layout.ts';
import type { ProducerState } from './producer-state.ts';
import type { CachedBatch } from './read-cache.ts';
import { recordBytes } from '../record-bytes.ts';
import { encodeRecordBatch } from './record-batch.ts';
import { Reservations } from './reservations.ts';

export interface Topic {
  readonly id: number;
  readonly spec: TopicSpec;
  readonly partitions: readonly PartitionLog[];
}

/**
 * One partition: what is known of it in memory, and how its records and offsets get into a write batch.
 *
 * `stage…` only fill the writer. What they write of the partition itself is its state at that moment, which includes
 * offsets that others have reserved: after a crash these are gaps, and no offset is ever given out twice.
 */
export class PartitionLog {
  readonly topicPartition: TopicPartition;
  readonly topicId: number;
  readonly spec: TopicSpec;
  readonly offsets: Reservations;
  readonly producers = new Map<string, ProducerState>();
  /** Decoded batches a reader stopped in, oldest first; `ReadCache` bounds them. */
  readonly cached: CachedBatch[] = [];
  /** What a batch of this partition measures, learnt while reading: how many to ask the engine for. */
  readonly average = { bytes: 0, records: 0 };
  logStart: number;
  /** Compaction has seen everything below. */
  compactedUpTo: number;
  /** When the next tombstones may go, 0: none wait. */
  nextHorizonMs: number;
  /** No batch stands at or above, as far as anything was staged. */
  #storedEnd: number;

  constructor(topicId: number, spec: TopicSpec, partition: number, stored?: Uint8Array) {
    const [end = 0, logStart = 0, compactedUpTo = 0, nextHorizonMs = 0] =
      stored === undefined ? [] : decodeOffsets(stored);
    this.topicPartition = { topic: spec.name, partition };
    this.topicId = topicId;
    this.spec = spec;
    this.offsets = new Reservations(end);
    this.logStart = logStart;
    this.compactedUpTo = compactedUpTo;
    this.nextHorizonMs = nextHorizonMs;
    this.#storedEnd = end;
  }

  get partition(): number {
    return this.topicPartition.partition;
  }

  get isCompacted(): boolean {
    return this.spec.cleanup === 'compact' || this.spec.cleanup === 'compact,delete';
  }

  get lastStable(): number {
    return this.offsets.lastStable;
  }

  key(lastOffset: number): Uint8Array {
    return batchKey(this.topicId, this.partition, lastOffset);
  }

  /** Splits into batches of a bounded size, so that no reader decodes more than it can want. */
  stageRecords(
    writer: BatchWriter,
    baseOffset: number,
    records: readonly LogRecord[],
    { appendTimeMs }: { readonly appendTimeMs: number },
  ): void {
    let from = 0;
    let bytes = 0;
    for (let i = 0; i < records.length; i++) {
      bytes += recordBytes(records[i] as LogRecord);
      if (bytes < batchBytesMax && i + 1 - from < batchRecordsMax && i + 1 < records.length) continue;
      const batch = from === 0 && i + 1 === records.length ? records : records.slice(from, i + 1);
      writer.put('log', this.key(baseOffset + i), encodeRecordBatch(baseOffset + from, batch, appendTimeMs));
      from = i + 1;
      bytes = 0;
    }
    if (records.length > 0) this.#storedEnd = Math.max(this.#storedEnd, baseOffset + records.length);
  }

  /** Puts thinned-out batches back in their place, or takes them away. */
  stageRewrite(writer: BatchWriter, batch: Rewrite): void {
    if (batch.lastOffset < this.logStart) return;
    const key = this.key(batch.lastOffset);
    if (batch.records.length === 0) {
      writer.delete('log', key);
      return;
    }
    const offsets = batch.records.map((record) => record.offset);
    const { baseOffset, lastOffset, deleteHorizonMs, appendTimeMs, records } = batch;
    const placement = { offsets, lastOffset, deleteHorizonMs };
    writer.put('log', key, encodeRecordBatch(baseOffset, records, appendTimeMs, placement));
  }

  /** Raises the log start and deletes the batches that lie wholly below. A lower offset changes nothing. */
  stageLogStart(writer: BatchWriter, offset: number): void {
    if (offset > this.logStart) {
      if (this.#storedEnd > this.logStart) writer.deleteRange('log', this.key(this.logStart), this.key(offset));
      this.logStart = offset;
    }
    this.stageEnd(writer);
  }

  stageEnd(writer: BatchWriter): void {
    const value = encodeOffsets(this.offsets.end, this.logStart, this.compactedUpTo, this.nextHorizonMs);
    writer.put('meta', partitionKey(this.topicId, this.partition), value);
  }

  /** Refuses what the partition can't hold, before an offset is given out. */
  checkRecords(records: readonly LogRecord[], maxRecordBytes: number): void {
    for (const record of records) {
      const bytes = recordBytes(record);
      if (bytes > maxRecordBytes) {
        throw new MillraceError(
          'RECORD_TOO_LARGE',
          `A record of ${bytes} bytes for ${this.name} exceeds the ${maxRecordBytes} bytes a record may have`,
          { ...this.topicPartition, bytes, maxRecordBytes },
        );
      }
      if (record.key === null && this.isCompacted) {
        throw new MillraceError(
          'INVALID_ARGUMENT',
          `A record for the compacted topic '${this.spec.name}' needs a key`,
          {
            ...this.topicPartition,
          },
        );
      }
      if (!Number.isSafeInteger(record.timestamp)) {
        throw new MillraceError(
          'INVALID_ARGUMENT',
          `A record's timestamp is a whole number of ms since epoch, found ${record.timestamp} for ${this.name}`,
          { ...this.topicPartition, timestamp: record.timestamp },
        );
      }
    }
  }

  /** As Kafka prints it. */
  get name(): string {
    return `${this.spec.name}-${this.partition}`;
  }
}

export interface Rewrite {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly deleteHorizonMs: number;
  readonly appendTimeMs: number | undefined;
  readonly records: readonly FetchedRecord[];
}

const batchBytesMax = 512 * 1024;
const batchRecordsMax = 4096;
