import type { Assignor } from './assignor.ts';

/**
 * The log port: a partitioned, replayable log, as narrow as the topology needs it.
 *
 * Apache Kafka's terms and rules throughout. Offsets are per partition, grow, and are not dense (transactions'
 * control records, compaction, abandoned appends leave gaps), so a read says where the next one begins. Offsets are
 * safe integers. Timestamps are ms since epoch.
 *
 * The shape was held against kafkajs on a real broker before it was fixed: docs/decisions/005 says what follows from
 * what, docs/architecture/log.md what every log behind the port keeps.
 */
export interface Log extends AsyncDisposable {
  /**
   * Creates the topics that don't exist yet.
   * @throws MillraceError `TOPIC_MISMATCH` when one exists with another partition count: wanted, found, topic.
   */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  topics(): Promise<readonly TopicSpec[]>;
  /** Deletes topics and all that is in them. What is there no more is nothing to do; that nobody uses them is the caller's business. */
  deleteTopics(names: readonly string[]): Promise<void>;
  /**
   * Another one when a topic was deleted and made anew under its name (KIP-516).
   * @throws MillraceError `TOPIC_NOT_FOUND`
   */
  topicId(topic: string): Promise<string>;

  /**
   * Appends; resolves with the base offset when the records are durable (docs/architecture/log.md says against what).
   * Calls for one partition are appended in their order, also when they are not awaited.
   * @throws MillraceError `RECORD_TOO_LARGE`, `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND`; `PRODUCER_FENCED` and
   *   `OUT_OF_ORDER_SEQUENCE` with `options.producer`; `LOG_CLOSED`
   */
  produce(partition: TopicPartition, records: readonly LogRecord[], options?: ProduceOptions): Promise<ProduceResult>;

  /**
   * Records from `offset` on that are committed (below the last stable offset), in offset order.
   * An empty answer means the end is reached; `nextOffset` is where to read on in any case.
   * @throws MillraceError `OFFSET_OUT_OF_RANGE` when offset is below the log start or above the end: never a silent jump.
   */
  read(partition: TopicPartition, offset: number, limits: ReadLimits): Promise<FetchedRecords>;

  /**
   * `earliest`: the log start. `latest`: where a reader arrives at the end, the last stable offset. A timestamp: the
   * first offset whose timestamp is at or after it; when there is none, `latest` (Kafka's broker says -1 there).
   */
  listOffsets(partition: TopicPartition, at: OffsetSpec): Promise<number>;
  /**
   * Moves the log start to `beforeOffset`: what is below can no longer be read. Lower than the log start is nothing to do.
   * @throws MillraceError `OFFSET_OUT_OF_RANGE` above `latest`
   */
  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void>;

  /**
   * Offsets a consumer group has committed; undefined where it has none. What a transaction that is still open has sent
   * does not count: who takes over from another opens the producer of that id first, which settles it, then asks.
   */
  committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<(number | undefined)[]>;
  /**
   * Joins a consumer group; the listener hears of every change of its partitions, revocation before assignment.
   * Without an assignor partition n of all topics of a member goes to the same member (assignment.ts).
   */
  joinGroup(
    group: string,
    topics: readonly string[],
    listener: RebalanceListener,
    assignor?: Assignor,
  ): Promise<GroupMember>;
  /**
   * Takes a member out that is known to be gone, so that the group need not wait for its session to time out. One that lives on
   * loses what it has; an id that the group does not know is nothing to do.
   */
  removeMember(group: string, memberId: string): Promise<void>;
  /**
   * Takes a transactional id over. When it resolves, an earlier producer of the id is fenced, and what it had begun is
   * settled: committed or gone.
   */
  openProducer(transactionalId: string): Promise<TransactionalProducer>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Default `delete`, kept for ever. */
  readonly cleanup?: 'delete' | 'compact' | 'compact,delete';
  /** Since its append, whatever the time of the record. Default: for ever. */
  readonly retentionMs?: number;
  /** A partition keeps at least so many, and the batch around the last of them. Default: all. */
  readonly retentionBytes?: number;
  /** Retention leaves what a consumer group has not committed past; without any group, everything. Default false, as Kafka. */
  readonly retainsUnread?: boolean;
  /** How long a compacted topic keeps a tombstone; default 24 h, as Kafka. */
  readonly deleteRetentionMs?: number;
}

export interface LogRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  /** Order is kept among headers of one key. Kafka's clients group them by key. */
  readonly headers?: readonly LogHeader[];
}

export interface LogHeader {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface FetchedRecord extends LogRecord {
  readonly offset: number;
}

export interface FetchedRecords {
  readonly records: readonly FetchedRecord[];
  readonly nextOffset: number;
}

export interface ReadLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

export interface ProduceOptions {
  /**
   * Idempotence, as Kafka's producer id and sequence: the first record of the batch has number `sequence`, counted per
   * producer and partition from 0. A batch that was already appended is acknowledged with its old offset; a gap is
   * `OUT_OF_ORDER_SEQUENCE`. The last five batches of a producer are remembered, for a day after its last append.
   * The id is the caller's to choose in the embedded log; on Kafka it is a number the broker has given.
   */
  readonly producer?: { readonly id: string; readonly epoch: number; readonly sequence: number };
}

export interface ProduceResult {
  readonly baseOffset: number;
  /** True when the batch had been appended before and this was a retry. */
  readonly duplicate: boolean;
}

export type OffsetSpec = 'earliest' | 'latest' | { readonly timestamp: number };

/**
 * A log may take more away than it has to and give it back (Kafka's eager rebalancing takes everything). Where it waits
 * for `onRevoked`, offsets can still be committed inside it; kafkajs does not wait, there the commit may be fenced.
 */
export interface RebalanceListener {
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  onAssigned(partitions: readonly TopicPartition[]): Promise<void>;
}

export interface GroupMember extends AsyncDisposable {
  readonly memberId: string;
  /** Has the group share out once more: this member has something else to say of itself (`Assignor.userData`). */
  rejoin(): void;
  /**
   * Commits outside a transaction, for partitions the member owns.
   * @throws MillraceError `MEMBER_FENCED` for others
   */
  commitOffsets(offsets: readonly ConsumedOffset[]): Promise<void>;
}

export interface ConsumedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
}

/** Outputs and consumed offsets as one unit, one after the other. Fenced as soon as another is opened under the id. */
export interface TransactionalProducer {
  /**
   * One is open at a time.
   * @throws MillraceError `PRODUCER_FENCED`
   */
  begin(): LogTransaction;
}

export interface LogTransaction {
  send(partition: TopicPartition, records: readonly LogRecord[]): void;
  sendOffsets(group: string, offsets: readonly ConsumedOffset[]): void;
  /**
   * Resolves when it is durable, with the offset behind the last record of each partition it sent to.
   * @throws MillraceError `PRODUCER_FENCED`; `COMMIT_OUTCOME_UNKNOWN`: taking the id over again settles it, and only the
   *   offsets that are committed then say how
   */
  commit(): Promise<readonly ConsumedOffset[]>;
  abort(): Promise<void>;
}
