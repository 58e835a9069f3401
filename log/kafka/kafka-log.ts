import { setTimeout as sleep } from 'node:timers/promises';
import { isMillraceError, MillraceError } from '../../schemas/errors.ts';
import type {
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
import { partitionAssignor, type Assignor } from '../assignor.ts';
import { recordBytes } from '../record-bytes.ts';
import { byTopic } from './by-topic.ts';
import { compressionOf, loadZstd, type CompressionName } from './compression.ts';
import { Connections, send } from './connections.ts';
import { nameOf, type DeliveryOptions } from './delivery.ts';
import { KafkaGroupMember, leaveGroup } from './group-member.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import { errorType } from './kafka-errors.ts';
import { isolation, type ClusterOptions } from './kafkajs.ts';
import { Reader } from './reader.ts';
import type { Sasl, Tls } from './credentials.ts';
import { topicIdRequest } from './topic-id-request.ts';
import { newTopic, settingNames, topicSpec } from './topic-settings.ts';
import { KafkaProducer } from './transactional-producer.ts';

export interface KafkaLogOptions {
  /** `host:port`, any of the cluster's. */
  readonly brokers: readonly string[];
  /** What brokers call this client in their logs and quotas. Default `millrace`. */
  readonly clientId?: string;
  /** True: TLS, with the system's CAs. An object: which CA, whose certificate. */
  readonly ssl?: boolean | Tls;
  readonly sasl?: Sasl;
  /** Of what this log appends; anything is read. Default `lz4`. */
  readonly compression?: CompressionName;
  /** Of topics that this log creates. Default -1: the brokers' own `default.replication.factor` (KIP-464). */
  readonly replicationFactor?: number;
  /** The largest record that is taken. Default 1,000,000: with its batch below the brokers' default `message.max.bytes`. */
  readonly maxRecordBytes?: number;
  /** A transaction that has not ended by then is aborted by its coordinator. Default 60 s, as Kafka's producer. */
  readonly transactionTimeoutMs?: number;
  /** A member of a group that was not heard of for so long is given up. Default 45 s (KIP-735). */
  readonly sessionTimeoutMs?: number;
  /** How long a rebalance waits for a member. Default 5 min, as Kafka's `max.poll.interval.ms`. */
  readonly rebalanceTimeoutMs?: number;
  /** Default 1 s: a member hears of a rebalance by its next heartbeat. */
  readonly heartbeatIntervalMs?: number;
  /** How long a request is tried again while brokers don't answer, or answer that it is another's. Default 30 s. */
  readonly retryMs?: number;
  /** One request, also where a broker accepts the connection and says nothing. Default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Records are sent again until they are acknowledged, for so long. Default 120 s (KIP-91). */
  readonly deliveryTimeoutMs?: number;
  /** Hears of what goes wrong behind the scenes: heartbeats, listeners. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The log port on Apache Kafka (docs/architecture/kafka-log.md).
 * @throws MillraceError `KAFKA_UNREACHABLE`, `KAFKA_AUTHENTICATION_FAILED`, `INVALID_ARGUMENT`
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const compression = compressionOf(options.compression ?? 'lz4');
  await loadZstd();
  const cluster: ClusterOptions = {
    brokers: options.brokers,
    clientId: options.clientId ?? 'millrace',
    ssl: options.ssl,
    sasl: options.sasl,
    connectionTimeoutMs: options.requestTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const connect = () => Connections.open(cluster, options.retryMs ?? 30_000);
  return new KafkaLog(options, await connect(), connect, {
    compression,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    requestTimeoutMs: cluster.requestTimeoutMs,
  });
}

class KafkaLog implements Log {
  readonly #options: KafkaLogOptions;
  readonly #maxRecordBytes: number;
  readonly #connections: Connections;
  readonly #connect: () => Promise<Connections>;
  readonly #delivery: DeliveryOptions;
  readonly #producer: IdempotentProducer;
  readonly #reader: Reader;
  readonly #producers = new Map<string, KafkaProducer>();
  readonly #members = new Set<KafkaGroupMember>();
  #closed = false;

  constructor(
    options: KafkaLogOptions,
    connections: Connections,
    connect: () => Promise<Connections>,
    delivery: DeliveryOptions,
  ) {
    this.#options = options;
    this.#maxRecordBytes = options.maxRecordBytes ?? 1_000_000;
    this.#connections = connections;
    this.#connect = connect;
    this.#delivery = delivery;
    this.#producer = new IdempotentProducer(connections, delivery);
    this.#reader = new Reader(connections);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen();
    const missing: TopicSpec[] = [];
    for (const spec of topics) if (!(await this.#exists(spec))) missing.push(spec);
    if (missing.length === 0) return;
    const { replicationFactor = -1 } = this.#options;
    const wanted = missing.map((spec) => newTopic(spec, replicationFactor));
    const names = missing.map(({ name }) => name).join(', ');
    await this.#connections.onController(`Creating the topics ${names}`, async (broker) => {
      await broker
        .createTopics({ topics: wanted, timeout: this.#delivery.requestTimeoutMs })
        .catch((error: unknown) => {
          // Another instance was faster; whether it made the same is checked below.
          const { errors = [error as Error] } = error as { errors?: readonly Error[] };
          const failure = errors.find((each) => errorType(each) !== 'TOPIC_ALREADY_EXISTS');
          if (failure !== undefined) throw failure;
        });
    });
    // Brokers hear of a topic a moment later than the controller.
    const deadline = Date.now() + this.#delivery.requestTimeoutMs;
    for (const spec of missing) {
      while (!(await this.#exists(spec))) {
        if (Date.now() > deadline) {
          throw new MillraceError('KAFKA_FAILED', `The topic '${spec.name}' was created, but no broker knows it`, {
            topic: spec.name,
          });
        }
        await sleep(20);
      }
    }
  }

  async topics(): Promise<readonly TopicSpec[]> {
    this.#checkOpen();
    return await this.#connections.onAny('Listing the topics', async (broker) => {
      const { topicMetadata } = await broker.metadata([]);
      const counts = new Map(
        topicMetadata
          .filter(({ isInternal }) => !isInternal)
          .map(({ topic, partitionMetadata }) => [topic, partitionMetadata.length]),
      );
      if (counts.size === 0) return [];
      const resources = [...counts.keys()].map((name) => ({ type: topicResource, name, configNames: settingNames }));
      const described = await broker.describeConfigs({ resources });
      return described.resources.map((resource) => topicSpec(resource, counts.get(resource.resourceName)!));
    });
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    this.#checkOpen();
    for (const topic of names) {
      await this.#connections.onController(`Deleting the topic '${topic}'`, async (broker) => {
        await broker
          .deleteTopics({ topics: [topic], timeout: this.#delivery.requestTimeoutMs })
          .catch((error: unknown) => {
            if (errorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
          });
      });
      this.#connections.forgetLeaders(topic);
    }
  }

  async topicId(topic: string): Promise<string> {
    this.#checkOpen();
    await this.#connections.partitionCount(topic);
    return await this.#connections.onAny(`Asking for the id of '${topic}'`, (broker) =>
      send(broker, topicIdRequest(topic)),
    );
  }

  async produce(
    partition: TopicPartition,
    records: readonly LogRecord[],
    options: ProduceOptions = {},
  ): Promise<ProduceResult> {
    this.#checkOpen();
    if (options.producer !== undefined) {
      const message = 'Producer ids and numbers are given by the brokers of Kafka, not by the caller';
      throw new MillraceError('INVALID_ARGUMENT', message, { ...partition });
    }
    this.#checkSizes(partition, records);
    if (records.length > 0) return await this.#producer.append(partition, records);
    return { baseOffset: await this.listOffsets(partition, 'latest'), duplicate: false };
  }

  async read(partition: TopicPartition, offset: number, limits: ReadLimits): Promise<FetchedRecords> {
    this.#checkOpen();
    return await this.#reader.read(partition, offset, limits);
  }

  async listOffsets(partition: TopicPartition, at: OffsetSpec): Promise<number> {
    this.#checkOpen();
    const found = await this.#offsetAt(partition, at === 'earliest' ? -2 : at === 'latest' ? -1 : at.timestamp);
    return found === noOffset ? await this.#offsetAt(partition, -1) : found;
  }

  async deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    this.#checkOpen();
    const latest = await this.listOffsets(partition, 'latest');
    if (beforeOffset > latest) {
      const message = `${nameOf(partition)} ends at offset ${latest}, removing up to ${beforeOffset} was asked for`;
      throw new MillraceError('OFFSET_OUT_OF_RANGE', message, { ...partition, offset: beforeOffset, latest });
    }
    this.#reader.forget(partition);
    if (beforeOffset <= (await this.listOffsets(partition, 'earliest'))) return;
    await this.#connections.onLeader(partition, `Removing records of ${nameOf(partition)}`, (broker) =>
      broker.deleteRecords({ topics: byTopic([{ ...partition, offset: String(beforeOffset) }]) }),
    );
  }

  async committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<(number | undefined)[]> {
    this.#checkOpen();
    const doing = `Asking for the offsets of the group '${group}'`;
    const { responses } = await this.#connections.onCoordinator('group', group, doing, (broker) =>
      broker.offsetFetch({ groupId: group, topics: byTopic(partitions) }),
    );
    const offsets = new Map<string, number>();
    for (const { topic, partitions: answers } of responses) {
      for (const { partition, offset } of answers) offsets.set(nameOf({ topic, partition }), Number(offset));
    }
    return partitions.map((partition) => {
      const offset = offsets.get(nameOf(partition)) ?? noOffset;
      return offset === noOffset ? undefined : offset;
    });
  }

  async joinGroup(
    group: string,
    topics: readonly string[],
    listener: RebalanceListener,
    assignor: Assignor = partitionAssignor,
  ): Promise<GroupMember> {
    this.#checkOpen();
    for (const topic of topics) await this.#connections.partitionCount(topic);
    const member = await KafkaGroupMember.join(
      {
        group,
        topics,
        listener,
        assignor,
        sessionTimeoutMs: this.#options.sessionTimeoutMs ?? 45_000,
        rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs ?? 300_000,
        heartbeatIntervalMs: this.#options.heartbeatIntervalMs ?? 1_000,
        onError:
          this.#options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error))),
      },
      await this.#connect(),
      this.#connections,
    );
    this.#members.add(member);
    return member;
  }

  removeMember(group: string, memberId: string): Promise<void> {
    this.#checkOpen();
    return leaveGroup(this.#connections, { group, memberId });
  }

  async openProducer(transactionalId: string): Promise<TransactionalProducer> {
    this.#checkOpen();
    this.#producers.get(transactionalId)?.fence();
    const producer = await KafkaProducer.open(this.#connections, transactionalId, {
      ...this.#delivery,
      transactionTimeoutMs: this.#options.transactionTimeoutMs ?? 60_000,
      check: (partition, records) => this.#checkSizes(partition, records),
    });
    this.#producers.set(transactionalId, producer);
    return producer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const member of this.#members) await member[Symbol.asyncDispose]();
    await this.#producer.idle();
    await this.#connections.close();
  }

  /** @throws MillraceError `TOPIC_MISMATCH` */
  async #exists({ name, partitions }: TopicSpec): Promise<boolean> {
    let found: number;
    try {
      found = await this.#connections.partitionCount(name);
    } catch (error) {
      if (isMillraceError(error, 'TOPIC_NOT_FOUND')) return false;
      throw error;
    }
    if (found === partitions) return true;
    throw new MillraceError(
      'TOPIC_MISMATCH',
      `Topic '${name}' exists with ${found} partition(s), ${partitions} were asked for`,
      { topic: name, wanted: partitions, found },
    );
  }

  async #offsetAt(partition: TopicPartition, timestamp: number): Promise<number> {
    const request = { isolationLevel: isolation.readCommitted, topics: byTopic([{ ...partition, timestamp }]) };
    const doing = `Asking for offsets of ${nameOf(partition)}`;
    const { responses } = await this.#connections.onLeader(partition, doing, (broker) => broker.listOffsets(request));
    return Number(responses[0]?.partitions[0]?.offset ?? noOffset);
  }

  #checkSizes(partition: TopicPartition, records: readonly LogRecord[]): void {
    for (const record of records) {
      const bytes = recordBytes(record);
      if (bytes <= this.#maxRecordBytes) continue;
      const message = `A record for ${nameOf(partition)} has ${bytes} bytes, at most ${this.#maxRecordBytes} are taken`;
      throw new MillraceError('RECORD_TOO_LARGE', message, {
        ...partition,
        bytes,
        maxRecordBytes: this.#maxRecordBytes,
      });
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new MillraceError('LOG_CLOSED', 'The Kafka log is closed');
  }
}

const noOffset = -1;
/** `ResourceType.TOPIC` of the protocol. */
const topicResource = 2;
