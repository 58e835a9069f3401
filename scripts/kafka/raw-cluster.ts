import { createRequire } from 'node:module';

/**
 * kafkajs' own broker connections, below its consumer: the only way to its fetch and list-offsets requests with a
 * chosen offset and isolation. Not public, so it is typed here by what 2.2.4 does, and the version is pinned.
 */
export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(node: { nodeId: string }): Promise<RawBroker>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
}

export interface RawBroker {
  readonly versions: Readonly<Record<string, { minVersion: number; maxVersion: number }>>;
  fetch(request: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: RawPartition[] }[] }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
  produce(request: {
    producerId: number | string;
    producerEpoch: number;
    transactionalId?: string;
    topicData: { topic: string; partitions: { partition: number; firstSequence: number; messages: RawMessage[] }[] }[];
  }): Promise<{ topics: { topicName: string; partitions: { partition: number; baseOffset: string }[] }[] }>;
  initProducerId(request: {
    transactionalId?: string;
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
}

export interface RawPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[];
  readonly messages: readonly RawRecord[];
}

export interface RawMessage {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp?: number;
}

export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly isControlRecord: boolean;
  readonly batchContext: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

export function createRawCluster(address: string): RawCluster {
  const require = createRequire(import.meta.url);
  const Cluster = require('kafkajs/src/cluster') as new (options: unknown) => RawCluster;
  const { createLogger } = require('kafkajs/src/loggers') as { createLogger(options: unknown): unknown };
  const socketFactory = (require('kafkajs/src/network/socketFactory') as () => unknown)();
  return new Cluster({
    logger: createLogger({ level: 0, logCreator: () => () => undefined }),
    socketFactory,
    brokers: [address],
    clientId: 'millrace-raw',
    connectionTimeout: 2000,
    enforceRequestTimeout: true,
    metadataMaxAge: 300_000,
    retry: { initialRetryTime: 50, retries: 3 },
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
  });
}
