import { MillraceError } from '../../schemas/errors.ts';
import type { BatchWriter, Engine } from '../../state/engine.ts';
import type { GroupCommit } from '../../state/group-commit.ts';
import { partitionAssignor, type Assignor } from '../assignor.ts';
import type {
  ConsumedOffset,
  FetchedRecords,
  GroupMember,
  Log,
  LogRecord,
  OffsetSpec,
  ProduceOptions,
  ProduceResult,
  ReadLimits,
  RebalanceListener,
  TopicPartition,
  TopicSpec,
  TransactionalProducer,
} from '../log.ts';
import type { LogAppender } from './appender.ts';
import { Catalog } from './catalog.ts';
import { Cleaner } from './cleaner.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { decodeOffsets, encodeOffsets, offsetKey, producerKey } from './layout.ts';
import type { PartitionLog } from './partition-log.ts';
import { ProducerState } from './producer-state.ts';
import { ReadCache } from './read-cache.ts';
import { readRecords } from './reader.ts';
import type { RecordRemoval } from './record-removal.ts';
import type { Reservation } from './reservations.ts';
import { TimeIndex } from './time-index.ts';
import { stagedTopicRemoval, type TopicRemoval } from './topic-removal.ts';
import { EmbeddedProducer, type EmbeddedTransaction } from './transaction.ts';

/**
 * The log in this process, in the engine's database (layout.ts).
 *
 * Whoever appends gets its offsets at once and in order, its bytes go into the next shared write, and readers pass when
 * they are durable (reservations.ts). Nothing is appended after a write has failed: whether it is on the disk is only
 * known after opening again, and going on could acknowledge a batch whose predecessor is lost.
 */
export interface EmbeddedLog extends Log, LogAppender {
  /** Sync: where readers have to stop, the last stable offset. */
  committedEnd(partition: TopicPartition): number;
  /** Sync: the next offset that will be given out. */
  endOffset(partition: TopicPartition): number;
  logStart(partition: TopicPartition): number;
  /** Sizes, by reading what is new since the last time; the first call after opening reads the topic once. */
  stats(topic: string): Promise<TopicStats>;
  /** The largest record that is taken, by `recordBytes`. */
  readonly maxRecordBytes: number;
  /** Takes single records out for ever, where `deleteRecords` only moves the log's start. How many they were. */
  removeRecords(partition: TopicPartition, removal: RecordRemoval): Promise<number>;
  /**
   * Takes whole topics out, and what a consumer group has committed in those that stay. Nobody may read or write them any
   * more: not this log's business to know. What `also` writes is durable with it.
   */
  removeTopics(of: TopicRemoval, also?: (writer: BatchWriter) => void): Promise<void>;
  /** One housekeeping pass: retention, compaction, producers nobody has heard of for long. */
  clean(): Promise<void>;
  /** A pass every so often, until disposed of; what goes wrong in one goes to `onError`. */
  startCleaning(intervalMs: number): Disposable;
}

export interface TopicStats {
  readonly spec: TopicSpec;
  readonly partitions: readonly PartitionStats[];
}

export interface PartitionStats {
  readonly logStart: number;
  readonly committedEnd: number;
  readonly endOffset: number;
  /** Stored record batches below the committed end, before the engine's compression. */
  readonly bytes: number;
}

export interface EmbeddedLogOptions {
  readonly engine: Engine;
  /** Shared with everybody who writes to the database. */
  readonly commits: GroupCommit;
  /** ms since epoch. Default the system's. Append times are its times, and retention goes by them. */
  readonly clock?: () => number;
  /** An acknowledgement survives a power loss too. Default false: a process kill. */
  readonly syncWrites?: boolean;
  /** Hears of what goes wrong behind the scenes: cleaning, listeners. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
  /** Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** Decoded batches kept for readers with small limits. Default 16 MiB. */
  readonly readCacheBytes?: number;
  /** Compaction waits until this share of a partition's offsets is new. Default 0.5, as Kafka. */
  readonly minDirtyRatio?: number;
  /** Keys one compaction pass of a partition holds in memory. Default 1,000,000. */
  readonly compactionKeysMax?: number;
  /** After this time without an append a producer's sequence is forgotten. Default 24 h. */
  readonly producerExpiryMs?: number;
}

export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  return new RunningLog(options, await Catalog.load(options.engine));
}

class RunningLog implements EmbeddedLog {
  readonly maxRecordBytes: number;
  readonly #engine: Engine;
  readonly #commits: GroupCommit;
  readonly #sync: boolean;
  readonly #clock: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #catalog: Catalog;
  readonly #cache: ReadCache;
  readonly #cleaner: Cleaner;
  readonly #groups: GroupCoordinator;
  readonly #timeIndexes = new WeakMap<PartitionLog, TimeIndex>();
  readonly #producers = new Map<string, EmbeddedProducer>();
  readonly #listeners = new Set<(partition: TopicPartition) => void>();
  #creating: Promise<unknown> = Promise.resolve();
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: EmbeddedLogOptions, catalog: Catalog) {
    this.#engine = options.engine;
    this.#commits = options.commits;
    this.#sync = options.syncWrites ?? false;
    this.#clock = options.clock ?? Date.now;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
    this.maxRecordBytes = options.maxRecordBytes ?? 1024 * 1024;
    this.#catalog = catalog;
    this.#cache = new ReadCache(options.readCacheBytes ?? 16 * 1024 * 1024);
    this.#cleaner = new Cleaner({
      engine: this.#engine,
      commits: this.#commits,
      catalog,
      cache: this.#cache,
      clock: this.#clock,
      minDirtyRatio: options.minDirtyRatio ?? 0.5,
      compactionKeysMax: options.compactionKeysMax ?? 1_000_000,
      producerExpiryMs: options.producerExpiryMs ?? 24 * 3600 * 1000,
      timeIndex: (partition) => this.#timeIndex(partition),
      onError: this.#onError,
    });
    this.#groups = new GroupCoordinator({
      partitionCounts: (topics) => new Map(topics.map((name) => [name, catalog.topic(name).spec.partitions])),
      commitOffsets: (group, offsets) => this.#submit([], (writer) => this.stageOffsets(writer, group, offsets)),
      onError: this.#onError,
    });
  }

  // Topics

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const created = this.#creating.then(async () => {
      const topics = this.#catalog.missing(specs).map((spec) => this.#catalog.create(spec));
      if (topics.length === 0) return;
      await this.#submit([], (writer) => {
        for (const topic of topics) Catalog.stageTopic(writer, topic);
      });
      for (const topic of topics) this.#catalog.add(topic);
    });
    // Its caller hears of a failure; the next creation only waits for its turn.
    this.#creating = created.catch(() => undefined);
    return created;
  }

  async removeTopics(of: TopicRemoval, also?: (writer: BatchWriter) => void): Promise<void> {
    await this.#cleaner.betweenPasses(async () => {
      const removal = await stagedTopicRemoval(this.#engine, of);
      await this.#submit([], (writer) => {
        removal(writer);
        also?.(writer);
      });
      for (const { spec } of this.#catalog.all()) if (of.removes(spec.name)) this.#catalog.drop(spec.name);
    });
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    const gone = new Set(names);
    await this.removeTopics({ removes: (topic) => gone.has(topic) });
  }

  async topicId(topic: string): Promise<string> {
    this.#mustBeOpen();
    return String(this.#catalog.topic(topic).id);
  }

  async topics(): Promise<readonly TopicSpec[]> {
    return this.#catalog.all().map((topic) => topic.spec);
  }

  async stats(name: string): Promise<TopicStats> {
    const topic = this.#catalog.topic(name);
    const partitions: PartitionStats[] = [];
    for (const partition of topic.partitions) {
      const bytes = await this.#timeIndex(partition).bytes();
      const { logStart, lastStable, offsets } = partition;
      partitions.push({ logStart, committedEnd: lastStable, endOffset: offsets.end, bytes });
    }
    return { spec: topic.spec, partitions };
  }

  // Appending

  async produce(
    of: TopicPartition,
    records: readonly LogRecord[],
    { producer }: ProduceOptions = {},
  ): Promise<ProduceResult> {
    this.#mustBeWritable();
    const partition = this.#catalog.partition(of);
    partition.checkRecords(records, this.maxRecordBytes);
    if (records.length === 0) return { baseOffset: partition.offsets.end, duplicate: false };
    if (producer === undefined) return this.#append(partition, records, () => undefined).result;

    const state = partition.producers.get(producer.id) ?? new ProducerState();
    const attempt = { partition: partition.topicPartition, producer, count: records.length };
    const earlier = state.check(attempt);
    if (earlier !== undefined) return earlier;
    const key = producerKey(partition.topicId, partition.partition, producer.id);
    // Encoded now: when the write is put together, later batches may have moved the state on.
    let encoded = new Uint8Array();
    const { baseOffset, result } = this.#append(partition, records, (writer) => writer.put('meta', key, encoded));
    const durable = result.then(() => undefined);
    state.append(attempt, baseOffset, this.#clock(), durable);
    encoded = Uint8Array.from(state.encode());
    partition.producers.set(producer.id, state);
    return result;
  }

  #append(partition: PartitionLog, records: readonly LogRecord[], also: (writer: BatchWriter) => void) {
    const ticket = partition.offsets.ticket(records.length);
    const baseOffset = ticket.from;
    const durable = this.#submit([[partition, ticket]], (writer) => {
      partition.stageRecords(writer, baseOffset, records, { appendTimeMs: this.#clock() });
      partition.stageEnd(writer);
      also(writer);
    });
    return { baseOffset, result: durable.then((): ProduceResult => ({ baseOffset, duplicate: false })) };
  }

  /** One write; the tickets are settled when it is durable, or given up when it was never tried. */
  async #submit(tickets: readonly Ticket[], fill: (writer: BatchWriter) => void): Promise<void> {
    this.#mustBeWritable();
    let filled = false;
    const staged = (writer: BatchWriter): void => {
      this.#mustNotHaveFailed();
      fill(writer);
      filled = true;
    };
    try {
      await this.#commits.submit(staged, { sync: this.#sync });
    } catch (error) {
      if (filled) this.#failure ??= { error };
      else for (const [partition, ticket] of tickets) partition.offsets.settleTicket(ticket);
      throw error;
    }
    for (const [partition, ticket] of tickets) partition.offsets.settleTicket(ticket);
    for (const [partition] of tickets) this.#appended(partition);
  }

  reserve(of: TopicPartition, count: number): number {
    this.#mustBeWritable();
    return this.#catalog.partition(of).offsets.reserveUnit(count);
  }

  stage(writer: BatchWriter, of: TopicPartition, baseOffset: number, records: readonly LogRecord[]): void {
    const partition = this.#catalog.partition(of);
    partition.checkRecords(records, this.maxRecordBytes);
    if (baseOffset + records.length > partition.offsets.end) {
      throw new MillraceError(
        'INTERNAL',
        `${records.length} records staged at offset ${baseOffset} of ${partition.name}, reserved up to ${partition.offsets.end}`,
        { ...partition.topicPartition, baseOffset, records: records.length, end: partition.offsets.end },
      );
    }
    partition.stageRecords(writer, baseOffset, records, { appendTimeMs: this.#clock() });
    partition.stageEnd(writer);
  }

  stageEnd(writer: BatchWriter, partition: TopicPartition): void {
    this.#catalog.partition(partition).stageEnd(writer);
  }

  stageOffsets(writer: BatchWriter, group: string, offsets: readonly ConsumedOffset[]): void {
    for (const consumed of offsets) {
      const partition = this.#catalog.partition(consumed);
      const key = offsetKey(partition.topicId, partition.partition, group);
      writer.put('meta', key, encodeOffsets(consumed.offset));
    }
  }

  stageLogStart(writer: BatchWriter, of: TopicPartition, offset: number): void {
    const partition = this.#catalog.partition(of);
    partition.stageLogStart(writer, offset);
    this.#cache.forget(partition);
  }

  settle(of: TopicPartition, upToOffset: number): void {
    const partition = this.#catalog.partition(of);
    const before = partition.lastStable;
    partition.offsets.settleUnits(upToOffset);
    if (partition.lastStable > before) this.#appended(partition);
  }

  onAppend(listener: (partition: TopicPartition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #appended(partition: PartitionLog): void {
    for (const listener of this.#listeners) {
      try {
        listener(partition.topicPartition);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  // Reading

  async read(of: TopicPartition, offset: number, limits: ReadLimits): Promise<FetchedRecords> {
    this.#mustBeOpen();
    const partition = this.#catalog.partition(of);
    checkInLog(partition, offset, partition.logStart, partition.offsets.end);
    if (offset >= partition.lastStable) return { records: [], nextOffset: offset };
    const answer = await readRecords({ engine: this.#engine, cache: this.#cache }, partition, offset, limits);
    // Batches that were deleted meanwhile must not look like a gap.
    checkInLog(partition, offset, partition.logStart, partition.offsets.end);
    return answer;
  }

  async listOffsets(of: TopicPartition, at: OffsetSpec): Promise<number> {
    this.#mustBeOpen();
    const partition = this.#catalog.partition(of);
    if (at === 'earliest') return partition.logStart;
    const end = partition.lastStable;
    if (at === 'latest') return end;
    return (await this.#timeIndex(partition).offsetAt(at.timestamp)) ?? end;
  }

  async deleteRecords(of: TopicPartition, beforeOffset: number): Promise<void> {
    const partition = this.#catalog.partition(of);
    checkInLog(partition, beforeOffset, 0, partition.lastStable);
    await this.#submit([], (writer) => this.stageLogStart(writer, of, beforeOffset));
  }

  committedEnd(partition: TopicPartition): number {
    return this.#catalog.partition(partition).lastStable;
  }

  endOffset(partition: TopicPartition): number {
    return this.#catalog.partition(partition).offsets.end;
  }

  logStart(partition: TopicPartition): number {
    return this.#catalog.partition(partition).logStart;
  }

  #timeIndex(partition: PartitionLog): TimeIndex {
    let index = this.#timeIndexes.get(partition);
    if (index === undefined) this.#timeIndexes.set(partition, (index = new TimeIndex(this.#engine, partition)));
    return index;
  }

  // Groups and transactions

  async committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<(number | undefined)[]> {
    this.#mustBeOpen();
    const keys = partitions.map((of) => {
      const partition = this.#catalog.partition(of);
      return offsetKey(partition.topicId, partition.partition, group);
    });
    const stored = await this.#engine.getMany('meta', keys);
    return stored.map((bytes) => (bytes === undefined ? undefined : decodeOffsets(bytes)[0]));
  }

  async joinGroup(
    group: string,
    topics: readonly string[],
    listener: RebalanceListener,
    assignor: Assignor = partitionAssignor,
  ): Promise<GroupMember> {
    this.#mustBeOpen();
    for (const topic of topics) this.#catalog.topic(topic);
    return this.#groups.join(group, topics, listener, assignor);
  }

  async removeMember(group: string, memberId: string): Promise<void> {
    this.#mustBeOpen();
    await this.#groups.remove(group, memberId);
  }

  async openProducer(transactionalId: string): Promise<TransactionalProducer> {
    this.#mustBeWritable();
    const producer = new EmbeddedProducer(transactionalId, {
      check: (of, records) => this.#catalog.partition(of).checkRecords(records, this.maxRecordBytes),
      commit: (ending) => this.#commitTransaction(ending),
    });
    const previous = this.#producers.get(transactionalId);
    this.#producers.set(transactionalId, producer);
    await previous?.fence();
    return producer;
  }

  async #commitTransaction(transaction: EmbeddedTransaction): Promise<readonly ConsumedOffset[]> {
    this.#mustBeWritable();
    const { sends, offsets } = transaction;
    const appends = sends.map(({ partition: of, records }) => {
      const partition = this.#catalog.partition(of);
      return { of, partition, records, ticket: partition.offsets.ticket(records.length) };
    });
    await this.#submit(
      appends.map(({ partition, ticket }) => [partition, ticket]),
      (writer) => {
        for (const { partition, records, ticket } of appends) {
          partition.stageRecords(writer, ticket.from, records, { appendTimeMs: this.#clock() });
          partition.stageEnd(writer);
        }
        for (const [group, consumed] of offsets) this.stageOffsets(writer, group, consumed);
      },
    );
    const ends = new Map<PartitionLog, ConsumedOffset>();
    for (const { of, partition, ticket, records } of appends) {
      ends.set(partition, { ...of, offset: ticket.from + records.length });
    }
    return [...ends.values()];
  }

  // Life

  async clean(): Promise<void> {
    this.#mustBeWritable();
    await this.#cleaner.clean();
  }

  async removeRecords(of: TopicPartition, removal: RecordRemoval): Promise<number> {
    this.#mustBeWritable();
    return this.#cleaner.removeRecords(this.#catalog.partition(of), removal);
  }

  startCleaning(intervalMs: number): Disposable {
    return this.#cleaner.start(intervalMs);
  }

  /** Waits for what is on its way. The engine stays open: it is the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#cleaner.stop();
    await this.#commits.idle();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new MillraceError('LOG_CLOSED', 'The log is closed');
  }

  #mustBeWritable(): void {
    this.#mustBeOpen();
    this.#mustNotHaveFailed();
  }

  #mustNotHaveFailed(): void {
    if (this.#failure === undefined) return;
    const cause = this.#failure.error;
    throw new MillraceError('LOG_CLOSED', 'A write of the log failed, it has to be opened again', {}, { cause });
  }
}

type Ticket = readonly [PartitionLog, Reservation];

function checkInLog(partition: PartitionLog, offset: number, from: number, to: number): void {
  if (offset >= from && offset <= to && Number.isSafeInteger(offset)) return;
  throw new MillraceError(
    'OFFSET_OUT_OF_RANGE',
    `Offset ${offset} of ${partition.name} is out of range, it holds ${from} to ${to}`,
    { ...partition.topicPartition, offset, logStart: from, end: to },
  );
}
