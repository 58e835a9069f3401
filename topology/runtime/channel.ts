import type { BatchWriter } from '../../state/engine.ts';
import type { LogAppender } from '../../log/embedded/appender.ts';
import type { LogRecord, TopicPartition } from '../../log/log.ts';
import type { Serde } from '../../schemas/serde.ts';
import type { OpenRecord } from './open-record.ts';

/**
 * A partition that the topology itself writes, from the send to the commit.
 *
 *     send ──> [ open records: offsets given out, not durable ] ──> read by the next task in the same unit
 *                                   │ commit
 *                                   └──> staged as record batches, or forgotten when a repartition record has been
 *                                        consumed: the unit that made it has also used it up
 *
 * Records cross from task to task as the objects they are when both sides use the same serdes (`byReference`), so a hop
 * inside one process costs neither bytes nor a commit (docs/decisions/004-open-records.md).
 */
export class Channel {
  readonly partition: TopicPartition;
  readonly #options: ChannelOptions;
  #records: OpenRecord[] = [];
  /** How many of `#records` have been read, and how many are staged. */
  #read = 0;
  #staged = 0;
  #stagedEnd = 0;

  constructor(partition: TopicPartition, options: ChannelOptions) {
    this.partition = partition;
    this.#options = options;
  }

  get byReference(): boolean {
    return this.#options.byReference;
  }

  get firstUnreadOffset(): number | undefined {
    return this.#records[this.#read]?.offset;
  }

  send(records: readonly OpenRecord[]): void {
    const { appender, byReference, hop, keySerde, valueSerde } = this.#options;
    let offset = appender.reserve(this.partition, records.length);
    for (const record of records) {
      record.place(this, offset++);
      if (!byReference || !hop) record.encode(keySerde, valueSerde);
      this.#records.push(record);
    }
  }

  /** The serdes that records of this channel are written with. */
  get serdes(): { readonly keySerde: Serde<unknown>; readonly valueSerde: Serde<unknown> } {
    return this.#options;
  }

  /** Passes over records that the reader has seen in the log. */
  skipTo(offset: number): void {
    while (this.#read < this.#records.length && this.#records[this.#read]!.offset < offset) this.#read += 1;
  }

  /** The next unread records, up to the first gap in their offsets. */
  takeRun(maxRecords: number): readonly OpenRecord[] {
    const from = this.#read;
    const limit = Math.min(this.#records.length, from + maxRecords);
    let to = from + 1;
    while (to < limit && this.#records[to]!.offset === this.#records[to - 1]!.offset + 1) to += 1;
    const taken = this.#records.slice(from, to);
    this.#read = to;
    if (this.#options.hop && to >= 1024 && to * 2 > this.#records.length) this.#forgetRead();
    return taken;
  }

  stage(writer: BatchWriter): void {
    const { appender, hop } = this.#options;
    if (hop) this.#forgetRead();
    for (const run of runs(this.#records, this.#staged)) {
      const records = run.map((record) => this.#toLogRecord(record));
      appender.stage(writer, this.partition, run[0]!.offset, records);
    }
    this.#staged = this.#records.length;
    this.#stagedEnd = appender.endOffset(this.partition);
    appender.stageEnd(writer, this.partition);
  }

  /** What was staged is durable. */
  committed(): void {
    this.#options.appender.settle(this.partition, this.#stagedEnd);
    const done = this.#options.hasReader ? Math.min(this.#read, this.#staged) : this.#staged;
    this.#records = this.#records.slice(done);
    this.#read = Math.max(0, this.#read - done);
    this.#staged -= done;
  }

  #forgetRead(): void {
    this.#records = this.#records.slice(this.#read);
    this.#staged = Math.max(0, this.#staged - this.#read);
    this.#read = 0;
  }

  #toLogRecord(record: OpenRecord): LogRecord {
    record.encode(this.#options.keySerde, this.#options.valueSerde);
    const { keyBytes, valueBytes, timestamp, headers } = record;
    return { key: keyBytes!, value: valueBytes!, timestamp, headers };
  }
}

export interface ChannelOptions {
  readonly appender: OpenLog;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  /** Sink and source use the same serdes, so the objects themselves are handed over. */
  readonly byReference: boolean;
  /** A repartition topic: nobody but the topology reads it, and what it has read is never written. */
  readonly hop: boolean;
  readonly hasReader: boolean;
}

/** The embedded log as the runtime sees it. */
export type OpenLog = LogAppender & { endOffset(partition: TopicPartition): number };

/** One record batch on disk holds at most this many records. */
const maxBatchRecords = 500;

/** Runs of consecutive offsets from index `from` on: external appends may have taken offsets in between. */
function* runs(records: readonly OpenRecord[], from: number): Iterable<readonly OpenRecord[]> {
  let start = from;
  for (let i = from + 1; i <= records.length; i++) {
    const next = records[i];
    const consecutive = next !== undefined && next.offset === records[i - 1]!.offset + 1;
    if (consecutive && i - start < maxBatchRecords) continue;
    yield records.slice(start, i);
    start = i;
  }
}
