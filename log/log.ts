/**
 * The log port: a partitioned, replayable log, as narrow as the topology needs it.
 *
 * Apache Kafka's terms and rules throughout. Offsets are per partition, grow, and are not dense (transactions'
 * control records, compaction, abandoned appends leave gaps), so a read says where the next one begins. Offsets are
 * safe integers. Timestamps are ms since epoch.
 */
export interface Log extends AsyncDisposable {
  /**
   * Creates the topics that don't exist yet.
   * @throws MillraceError `TOPIC_MISMATCH` when one exists with another partition count: wanted, found, topic.
   */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  topics(): Promise<readonly TopicSpec[]>;

  /** Appends; resolves with the base offset when the records are durable as `Acknowledgement` says. */
  produce(partition: TopicPartition, records: readonly LogRecord[], options?: ProduceOptions): Promise<ProduceResult>;

  /**
   * Records from `offset` on that are committed (below the last stable offset), in offset order.
   * An empty answer means the end is reached; `nextOffset` is where to read on in any case.
   * @throws MillraceError `OFFSET_OUT_OF_RANGE` when offset is below the log start or above the end: never a silent jump.
   */
  read(partition: TopicPartition, offset: number, limits: ReadLimits): Promise<FetchedRecords>;

  listOffsets(partition: TopicPartition, at: OffsetSpec): Promise<number>;
  /** Moves the log start to `beforeOffset`: what is below can no longer be read. */
  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void>;

  /** Offsets a consumer group has committed; undefined where it has none. */
  committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<(number | undefined)[]>;
  /** Joins a consumer group; the listener hears of every change of its partitions, revocation before assignment. */
  joinGroup(group: string, topics: readonly string[], listener: RebalanceListener): Promise<GroupMember>;
  /** Outputs and consumed offsets as one unit, for a producer outside the embedded topology runtime. */
  beginTransaction(transactionalId: string): Promise<LogTransaction>;
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
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
  /** How long a compacted topic keeps a tombstone; default 24 h, as Kafka. */
  readonly deleteRetentionMs?: number;
}

export interface LogRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
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
   * `OUT_OF_ORDER_SEQUENCE`.
   */
  readonly producer?: { readonly id: string; readonly epoch: number; readonly sequence: number };
}

export interface ProduceResult {
  readonly baseOffset: number;
  /** True when the batch had been appended before and this was a retry. */
  readonly duplicate: boolean;
}

export type OffsetSpec = 'earliest' | 'latest' | { readonly timestamp: number };

export interface RebalanceListener {
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  onAssigned(partitions: readonly TopicPartition[]): Promise<void>;
}

export interface GroupMember extends AsyncDisposable {
  readonly memberId: string;
  /** Commits outside a transaction. */
  commitOffsets(offsets: readonly ConsumedOffset[]): Promise<void>;
}

export interface ConsumedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
}

/** Fenced as soon as another transaction begins under the same id: `PRODUCER_FENCED`. */
export interface LogTransaction {
  send(partition: TopicPartition, records: readonly LogRecord[]): void;
  sendOffsets(group: string, offsets: readonly ConsumedOffset[]): void;
  commit(): Promise<void>;
  abort(): Promise<void>;
}
