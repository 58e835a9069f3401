import { MillraceError } from '../../schemas/errors.ts';
import type { FetchedRecord, FetchedRecords, LogHeader, ReadLimits, TopicPartition } from '../../log/log.ts';
import type { SourceNode } from '../graph/graph.ts';
import { noHeaders } from '../record.ts';
import type { Channel } from './channel.ts';
import type { Counter } from './metrics.ts';
import type { OpenRecord } from './open-record.ts';
import type { Origin } from './stream-record.ts';

/** A record of a source, decoded and given its event time, waiting for its turn. */
export interface BufferedRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly origin: Origin;
  /**
   * Set when the record cannot be processed. Called when its turn comes, not when it is read ahead: what it does (a dead
   * letter, a count) belongs to the unit that moves the position past it.
   */
  readonly reject: (() => void) | undefined;
}

export interface InputOptions {
  readonly partition: TopicPartition;
  readonly source: SourceNode;
  /** Where to begin: the committed offset, or the log's start. */
  readonly offset: number;
  readonly partitionTimeMs: number;
  readonly read: (partition: TopicPartition, offset: number, limits: ReadLimits) => Promise<FetchedRecords>;
  /** Set when the topology itself writes the topic. */
  readonly channel: Channel | undefined;
  /** Decides by the deserialization handler; throws when the task must stop. */
  readonly onFailure: (origin: Origin, error: MillraceError) => void;
  readonly dropped: Counter;
}

/**
 * One source partition of a task: a buffer of decoded records ahead of the position.
 *
 * It reads the log up to its committed end, and then, when the topology writes the topic itself, the channel's open
 * records. A fetch of the log is always under way while there may be more, so that the database reads while the task
 * works.
 */
export class InputPartition {
  readonly partition: TopicPartition;
  readonly source: SourceNode;
  /** The next offset to process: what the commit stores as consumed. */
  consumedOffset: number;
  /** Highest event time the position has passed, -1 before the first. */
  consumedTimeMs: number;
  readonly #options: InputOptions;
  #buffer: BufferedRecord[] = [];
  #head = 0;
  #fetchOffset: number;
  /** Where this input ends for now, or for good. */
  #endOffset = Infinity;
  #fetching: Promise<void> | undefined;
  #fetched: FetchedRecords | undefined;
  #fetchFailure: { readonly error: Error } | undefined;
  #mayHaveMore = true;
  /** Highest event time read ahead: what the timestamp extractor is told. */
  #partitionTimeMs: number;

  constructor(options: InputOptions) {
    this.partition = options.partition;
    this.source = options.source;
    this.consumedOffset = options.offset;
    this.consumedTimeMs = options.partitionTimeMs;
    this.#partitionTimeMs = options.partitionTimeMs;
    this.#fetchOffset = options.offset;
    this.#options = options;
  }

  get head(): BufferedRecord | undefined {
    return this.#buffer[this.#head];
  }

  get buffered(): number {
    return this.#buffer.length - this.#head;
  }

  /**
   * The next offset to read when everything that was read has been processed, else `consumedOffset`: behind it lies what a log
   * has between records (markers of transactions, what was compacted away).
   */
  get position(): number {
    return this.buffered === 0 && this.#fetched === undefined ? this.#fetchOffset : this.consumedOffset;
  }

  /** Takes the head out; the position moves on. */
  shift(): BufferedRecord {
    const record = this.#buffer[this.#head++]!;
    this.consumedOffset = record.origin.offset + 1;
    if (record.timestamp > this.consumedTimeMs) this.consumedTimeMs = record.timestamp;
    if (this.#head === this.#buffer.length) {
      this.#buffer = [];
      this.#head = 0;
    }
    return record;
  }

  /** Somebody appended to the partition: the next fill looks again. */
  wake(): void {
    this.#mayHaveMore = true;
  }

  /**
   * Brings records into an empty buffer, unless there are none; true when some are there. With `hopsOnly` only open
   * records are taken: the commit drains what is on its way, and nothing new.
   */
  async fill(limits: ReadLimits, hopsOnly = false): Promise<boolean> {
    while (this.buffered === 0) {
      if (this.#takeFetched()) {
        await this.#decodeFetched();
      } else if (!hopsOnly && this.#fetching !== undefined) {
        await this.#fetching;
      } else if (this.#canFetch(hopsOnly)) {
        this.#startFetch(limits);
      } else if (this.#openIsNext) {
        await this.#takeOpen(limits.maxRecords);
      } else {
        return false;
      }
    }
    if (!hopsOnly && this.#fetched === undefined && this.#canFetch(false)) this.#startFetch(limits);
    return true;
  }

  /** Nothing is read at or above `offset`, which is not less than what was read already. */
  endAt(offset: number): void {
    if (offset > this.#endOffset) this.#mayHaveMore = true;
    this.#endOffset = offset;
  }

  /** Reads no further until `endAt` says how far: forgets what was read ahead. Where that is. */
  hold(): number {
    this.consumedOffset = this.position;
    this.#partitionTimeMs = this.consumedTimeMs;
    this.#buffer = [];
    this.#head = 0;
    this.#fetched = undefined;
    this.#fetchOffset = this.consumedOffset;
    this.#endOffset = this.consumedOffset;
    return this.consumedOffset;
  }

  /** The topology writes this topic itself: the commit drains it. */
  get isHop(): boolean {
    return this.#options.channel !== undefined;
  }

  /**
   * An open record may be taken when it follows directly: a gap before it can be somebody else's append, which becomes
   * readable in the log with the next commit.
   */
  get #openIsNext(): boolean {
    const { channel } = this.#options;
    if (channel === undefined) return false;
    channel.skipTo(this.#fetchOffset);
    return channel.firstUnreadOffset === this.#fetchOffset;
  }

  #canFetch(hopsOnly: boolean): boolean {
    if (hopsOnly || !this.#mayHaveMore || this.#fetchOffset >= this.#endOffset) return false;
    const open = this.#options.channel?.firstUnreadOffset;
    return open === undefined || this.#fetchOffset < open;
  }

  #startFetch(limits: ReadLimits): void {
    if (this.#fetching !== undefined) return;
    this.#mayHaveMore = false;
    const { read } = this.#options;
    const from = this.#fetchOffset;
    this.#fetching = read(this.partition, from, limits).then(
      (fetched) => {
        this.#fetching = undefined;
        if (this.#fetchOffset !== from) return; // It was held meanwhile, further back.
        this.#fetched = fetched;
        if (fetched.nextOffset > this.#fetchOffset) this.#mayHaveMore = true;
        this.#fetchOffset = fetched.nextOffset;
      },
      (error: unknown) => {
        this.#fetching = undefined;
        this.#fetchFailure = { error: error instanceof Error ? error : new Error(String(error)) };
      },
    );
  }

  #takeFetched(): boolean {
    if (this.#fetchFailure !== undefined) throw this.#fetchFailure.error;
    return this.#fetched !== undefined;
  }

  async #decodeFetched(): Promise<void> {
    // A fetch that was under way when the end was set may have gone beyond it; what lies there is read again if the end moves.
    const records = this.#fetched!.records.filter(({ offset }) => offset < this.#endOffset);
    this.#fetched = undefined;
    if (this.#fetchOffset > this.#endOffset) this.#fetchOffset = this.#endOffset;
    await this.#prepare(
      records.map(({ key }) => key),
      records.map(({ value }) => value),
    );
    for (const record of records) this.#decode(new FetchedOrigin(this.partition, record), record.key, record.value);
  }

  async #takeOpen(maxRecords: number): Promise<void> {
    const records = this.#options.channel!.takeRun(maxRecords);
    this.#fetchOffset = records.at(-1)!.offset + 1;
    if (!this.#options.channel!.byReference) {
      await this.#prepare(
        records.map(({ keyBytes }) => keyBytes!),
        records.map(({ valueBytes }) => valueBytes!),
      );
      for (const open of records) this.#decode(open, open.keyBytes!, open.valueBytes!);
    } else {
      for (const open of records) this.#take(open);
    }
  }

  /** The record itself is what is buffered, unless its time must be asked for or refused. */
  #take(open: OpenRecord): void {
    if (this.source.timestampExtractor !== undefined || !(open.timestamp >= 0)) {
      this.#push(open.key, open.value, open);
      return;
    }
    if (open.timestamp > this.#partitionTimeMs) this.#partitionTimeMs = open.timestamp;
    this.#buffer.push(open);
  }

  async #prepare(keys: readonly (Uint8Array | null)[], values: readonly (Uint8Array | null)[]): Promise<void> {
    const { keySerde, valueSerde } = this.source;
    await keySerde.prepare?.(keys.filter((key) => key !== null));
    await valueSerde.prepare?.(values.filter((value) => value !== null));
  }

  #decode(origin: Origin, keyBytes: Uint8Array | null, valueBytes: Uint8Array | null): void {
    let key: unknown;
    let value: unknown;
    try {
      key = keyBytes === null ? null : this.source.keySerde.deserialize(keyBytes);
      value = valueBytes === null ? null : this.source.valueSerde.deserialize(valueBytes);
    } catch (error) {
      const failure = asDeserializationError(error, origin);
      this.#reject(origin, () => this.#options.onFailure(origin, failure));
      return;
    }
    this.#push(key, value, origin);
  }

  #push(key: unknown, value: unknown, origin: Origin): void {
    const { timestampExtractor } = this.source;
    const timestamp =
      timestampExtractor === undefined
        ? origin.timestamp
        : timestampExtractor({ key, value, timestamp: origin.timestamp }, this.#partitionTimeMs);
    if (!(timestamp >= 0)) {
      this.#reject(origin, () => {
        this.#options.dropped.value += 1;
      });
      return;
    }
    if (timestamp > this.#partitionTimeMs) this.#partitionTimeMs = timestamp;
    this.#buffer.push({ key, value, timestamp, origin, reject: undefined });
  }

  #reject(origin: Origin, reject: () => void): void {
    this.#buffer.push({ key: null, value: null, timestamp: this.#partitionTimeMs, origin, reject });
  }
}

class FetchedOrigin implements Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
  readonly #record: FetchedRecord;

  constructor({ topic, partition }: TopicPartition, record: FetchedRecord) {
    this.topic = topic;
    this.partition = partition;
    this.offset = record.offset;
    this.timestamp = record.timestamp;
    this.headers = record.headers ?? noHeaders;
    this.#record = record;
  }

  rawKey(): Uint8Array | null {
    return this.#record.key;
  }

  rawValue(): Uint8Array | null {
    return this.#record.value;
  }
}

function asDeserializationError(error: unknown, origin: Origin): MillraceError {
  const at = `${origin.topic}-${origin.partition}@${origin.offset}`;
  const reason = error instanceof Error ? error.message : String(error);
  const { topic, partition, offset } = origin;
  const facts = { topic, partition, offset };
  return new MillraceError('DESERIALIZATION_FAILED', `${at}: ${reason}`, facts, { cause: error });
}
