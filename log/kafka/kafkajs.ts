import { createRequire } from 'node:module';
import type { AssignerProtocol } from 'kafkajs';
import type { Sasl, Tls } from './credentials.ts';

/**
 * What we use of kafkajs below its public face (2.2.4, pinned; docs/decisions/005 says why): its connections with their
 * authentication, its cluster metadata, and the requests of its broker. Typed here by what that version does. Loaded when a
 * log is opened, so that who runs embedded does not wait for it.
 */
export interface Cluster {
  readonly brokerPool: {
    findConnectedBroker(): Promise<Broker>;
  };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(node: { readonly nodeId: number }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(of: { readonly groupId: string; readonly coordinatorType: number }): Promise<Broker>;
}

export interface Broker {
  readonly versions: Readonly<Record<string, { readonly minVersion: number; readonly maxVersion: number }>>;
  /** One connection for fetches, one for everything else. */
  readonly connectionPool: { send<T>(request: ProtocolRequest<T>): Promise<T> };
  disconnect(): Promise<void>;
  metadata(topics: readonly string[]): Promise<{ readonly topicMetadata: readonly TopicMetadata[] }>;
  deleteTopics(request: { readonly topics: readonly string[]; readonly timeout: number }): Promise<unknown>;
  createTopics(request: { readonly topics: readonly NewTopic[]; readonly timeout: number }): Promise<void>;
  describeConfigs(request: {
    readonly resources: readonly {
      readonly type: number;
      readonly name: string;
      readonly configNames: readonly string[];
    }[];
  }): Promise<{ readonly resources: readonly ConfigResource[] }>;
  listOffsets(request: {
    readonly isolationLevel: number;
    readonly topics: readonly PartitionsOf<{ readonly timestamp: number }>[];
  }): Promise<{ readonly responses: readonly PartitionsOf<{ readonly offset: string }>[] }>;
  deleteRecords(request: { readonly topics: readonly PartitionsOf<{ readonly offset: string }>[] }): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly PartitionsOf<object>[];
  }): Promise<{ readonly responses: readonly PartitionsOf<{ readonly offset: string }>[] }>;
  offsetCommit(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly PartitionsOf<{ readonly offset: string }>[];
  }): Promise<unknown>;

  initProducerId(request: {
    readonly transactionalId?: string;
    readonly transactionTimeout: number;
  }): Promise<Producer>;
  addPartitionsToTxn(
    request: ProducerOf & {
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
    },
  ): Promise<unknown>;
  addOffsetsToTxn(request: ProducerOf & { readonly groupId: string }): Promise<unknown>;
  txnOffsetCommit(
    request: ProducerOf & {
      readonly groupId: string;
      readonly topics: readonly PartitionsOf<{ readonly offset: string }>[];
    },
  ): Promise<unknown>;
  endTxn(request: ProducerOf & { readonly transactionResult: boolean }): Promise<unknown>;

  joinGroup(request: {
    readonly groupId: string;
    readonly memberId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<JoinedGroup>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

export interface PartitionsOf<P> {
  readonly topic: string;
  readonly partitions: readonly (P & { readonly partition: number })[];
}

export interface TopicMetadata {
  readonly topic: string;
  readonly isInternal: boolean;
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
}

export interface NewTopic {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: readonly { readonly name: string; readonly value: string }[];
}

export interface ConfigResource {
  readonly resourceName: string;
  readonly configEntries: readonly { readonly configName: string; readonly configValue: string }[];
}

export interface Producer {
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface ProducerOf extends Producer {
  readonly transactionalId: string;
}

export interface JoinedGroup {
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
  /** Of the leader only. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

export interface ProtocolRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoder>;
  };
  readonly response: { decode(payload: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
}

export interface Encoder {
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: bigint | number): Encoder;
  writeString(value: string | null): Encoder;
  /** Of flexible versions: the length + 1 as a varint in front. */
  writeUVarIntString(value: string): Encoder;
  writeBytes(value: Buffer): Encoder;
}

export interface ClusterOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: boolean | Tls | undefined;
  readonly sasl: Sasl | undefined;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

const require = createRequire(import.meta.url);

export const isolation = { readUncommitted: 0, readCommitted: 1 } as const;
export const coordinatorType = { group: 0, transaction: 1 } as const;

export function createCluster({
  brokers,
  clientId,
  ssl,
  sasl,
  connectionTimeoutMs,
  requestTimeoutMs,
}: ClusterOptions): Cluster {
  const KafkajsCluster = require('kafkajs/src/cluster') as new (options: unknown) => Cluster;
  const { createLogger } = require('kafkajs/src/loggers') as { createLogger(options: unknown): unknown };
  const socketFactory = (require('kafkajs/src/network/socketFactory') as () => unknown)();
  return new KafkajsCluster({
    // Errors reach the caller, who retries or tells; kafkajs would print them besides.
    logger: createLogger({ level: 0, logCreator: () => () => undefined }),
    socketFactory,
    brokers,
    clientId,
    ssl: ssl === true ? {} : ssl,
    // A copy: kafkajs keeps an authenticator on the object, with the password it was made with.
    sasl: sasl && { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password },
    connectionTimeout: connectionTimeoutMs,
    authenticationTimeout: connectionTimeoutMs,
    reauthenticationThreshold: 10_000,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: 300_000,
    // The retrying is ours (connections.ts): only there is it known what may be sent again.
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 2 },
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
  });
}

/** The consumer protocol's encoding of subscriptions and assignments, which kafkajs does make public. */
export function assignerProtocol(): typeof AssignerProtocol {
  return (require('kafkajs') as { AssignerProtocol: typeof AssignerProtocol }).AssignerProtocol;
}

export function createEncoder(): Encoder {
  const KafkajsEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder;
  return new KafkajsEncoder();
}

/** The error that kafkajs has for a code of the protocol, with `type` and `retriable`. */
export function protocolError(code: number): Error {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };
  return createErrorFromCode(code);
}
