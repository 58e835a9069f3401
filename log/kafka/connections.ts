import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../schemas/errors.ts';
import type { TopicPartition } from '../log.ts';
import { errorType, isTransient, kafkaError } from './kafka-errors.ts';
import {
  coordinatorType,
  createCluster,
  type Broker,
  type Cluster,
  type ClusterOptions,
  type ProtocolRequest,
} from './kafkajs.ts';

/**
 * Finds the broker that a request has to go to, and asks again where it has moved or did not answer.
 *
 * | request of               | goes to                           | found by                              |
 * |--------------------------|-----------------------------------|---------------------------------------|
 * | records and offsets      | the leader of the partition       | metadata of its topic, kept           |
 * | groups                   | the coordinator of the group      | asked when not known                  |
 * | transactions             | the coordinator of the id         | asked when not known                  |
 *
 * What is sent again may have been done before: callers send only what that is harmless for (numbered batches, reads).
 *
 * When an answer does not come, everything of kafkajs is begun anew: connections, metadata, coordinators. Its connections have a state
 * between open and closed in which they take requests, time none of them out and lose their answers.
 */
export class Connections {
  readonly #options: ClusterOptions;
  readonly #retryMs: number;
  /** Node ids of leaders, by topic and partition. */
  readonly #leaders = new Map<string, readonly number[]>();
  readonly #coordinators = new Map<string, Broker>();
  #cluster: Cluster;
  #connected: Promise<void>;
  #closed = false;

  /**
   * Tries for `retryMs` where no broker answers: they may be starting as well.
   * @throws MillraceError `KAFKA_UNREACHABLE`, `KAFKA_AUTHENTICATION_FAILED`
   */
  static async open(options: ClusterOptions, retryMs: number): Promise<Connections> {
    const connections = new Connections(options, retryMs);
    const deadline = Date.now() + retryMs;
    for (let waitMs = waitMsMin; ; waitMs = Math.min(waitMs * 2, waitMsMax)) {
      const cluster = connections.current;
      try {
        await within(connections.#connected, connections.#patienceMs);
        return connections;
      } catch (error) {
        const failure = unopened(error, options.brokers.join(', '));
        if (failure.code !== 'KAFKA_UNREACHABLE' || Date.now() + waitMs > deadline) {
          await connections.close();
          throw failure;
        }
        connections.lost(cluster);
      }
      await sleep(waitMs);
    }
  }

  private constructor(options: ClusterOptions, retryMs: number) {
    this.#options = options;
    this.#retryMs = retryMs;
    this.#cluster = createCluster(options);
    this.#connected = connect(this.#cluster);
  }

  /** What `lost` is to be told, if a request that begins now is not answered. */
  get current(): object {
    return this.#cluster;
  }

  /** An answer did not come: what is asked from now on goes over new connections. */
  lost(current: object): void {
    if (current !== this.#cluster || this.#closed) return;
    void disconnect(this.#cluster);
    this.#leaders.clear();
    this.#coordinators.clear();
    this.#cluster = createCluster(this.#options);
    this.#connected = connect(this.#cluster);
  }

  /** How long an answer may take, with a connection that has to be made for it. */
  get #patienceMs(): number {
    return this.#options.requestTimeoutMs + this.#options.connectionTimeoutMs;
  }

  /** @throws MillraceError `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND` */
  async checkPartition(of: TopicPartition): Promise<void> {
    checkPartition(of, await this.partitionCount(of.topic));
  }

  /** @throws MillraceError `TOPIC_NOT_FOUND` */
  async partitionCount(topic: string): Promise<number> {
    const known = this.#leaders.get(topic);
    if (known !== undefined) return known.length;
    const doing = `Asking for the partitions of '${topic}'`;
    return (await this.onAny(doing, (broker) => this.#askLeaders(broker, topic), { topic })).length;
  }

  onLeader<T>(of: TopicPartition, doing: string, ask: (broker: Broker) => Promise<T>): Promise<T> {
    const find = async () => {
      checkPartition(of, (await this.#leadersOf(of.topic)).length);
      return this.#leaderOf(of);
    };
    return this.#asking(doing, { ...of }, find, ask, () => this.#leaders.delete(of.topic));
  }

  /** Of a partition that exists. */
  leader(of: TopicPartition): Promise<Broker> {
    return within(this.#leaderOf(of), this.#patienceMs);
  }

  async #leaderOf({ topic, partition }: TopicPartition): Promise<Broker> {
    await this.#connected;
    return this.#cluster.findBroker({ nodeId: (await this.#leadersOf(topic))[partition]! });
  }

  forgetLeaders(topic: string): void {
    this.#leaders.delete(topic);
  }

  /**
   * `onDoubt` hears of every time that no answer came: the request may have been done, or be done yet. `blocksMs`: how long the
   * coordinator may hold the request back before it answers.
   */
  onCoordinator<T>(
    kind: keyof typeof coordinatorType,
    id: string,
    doing: string,
    ask: (broker: Broker) => Promise<T>,
    { onDoubt, blocksMs = 0 }: { readonly onDoubt?: () => void; readonly blocksMs?: number } = {},
  ): Promise<T> {
    const key = `${kind} ${id}`;
    const find = async () => {
      const known = this.#coordinators.get(key);
      if (known !== undefined) return known;
      const of = { groupId: id, coordinatorType: coordinatorType[kind] };
      const found = await this.#cluster.findGroupCoordinator(of);
      this.#coordinators.set(key, found);
      return found;
    };
    const failed = (error: unknown) => {
      this.#coordinators.delete(key);
      if (errorType(error) === 'CONNECTION') onDoubt?.();
    };
    return this.#asking(doing, { [kind]: id }, find, ask, failed, blocksMs);
  }

  onController<T>(doing: string, ask: (broker: Broker) => Promise<T>): Promise<T> {
    const find = async () => {
      await this.#cluster.refreshMetadata();
      return this.#cluster.findControllerBroker();
    };
    return this.#asking(doing, {}, find, ask, () => undefined);
  }

  onAny<T>(doing: string, ask: (broker: Broker) => Promise<T>, facts: Facts = {}): Promise<T> {
    return this.#asking(
      doing,
      facts,
      () => this.#cluster.brokerPool.findConnectedBroker(),
      ask,
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await disconnect(this.#cluster);
  }

  async #asking<T>(
    doing: string,
    facts: Facts,
    find: () => Promise<Broker>,
    ask: (broker: Broker) => Promise<T>,
    failed: (error: unknown) => unknown,
    blocksMs = 0,
  ): Promise<T> {
    const deadline = Date.now() + this.#retryMs;
    for (let waitMs = waitMsMin; ; waitMs = Math.min(waitMs * 2, waitMsMax)) {
      if (this.#closed) throw new MillraceError('LOG_CLOSED', `${doing}: the log is closed`, facts);
      const cluster = this.#cluster;
      try {
        return await within(this.#once(find, ask), this.#patienceMs + blocksMs);
      } catch (error) {
        failed(error);
        if (errorType(error) === 'CONNECTION') this.lost(cluster);
        if (!isTransient(error) || Date.now() + waitMs > deadline) throw kafkaError(error, doing, facts);
      }
      await sleep(waitMs * (0.5 + Math.random() / 2));
    }
  }

  async #once<T>(find: () => Promise<Broker>, ask: (broker: Broker) => Promise<T>): Promise<T> {
    await this.#connected;
    return await ask(await find());
  }

  async #leadersOf(topic: string): Promise<readonly number[]> {
    const known = this.#leaders.get(topic);
    return known ?? (await this.#askLeaders(await this.#cluster.brokerPool.findConnectedBroker(), topic));
  }

  async #askLeaders(broker: Broker, topic: string): Promise<readonly number[]> {
    const metadata = await broker.metadata([topic]).catch((error: unknown) => {
      if (errorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
      throw new MillraceError('TOPIC_NOT_FOUND', `There is no topic '${topic}'`, { topic });
    });
    const partitions = metadata.topicMetadata.find((each) => each.topic === topic)?.partitionMetadata ?? [];
    const leaders = partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader);
    this.#leaders.set(topic, leaders);
    return leaders;
  }
}

type Facts = Readonly<Record<string, string | number>>;

const waitMsMin = 10;
const waitMsMax = 500;

function checkPartition({ topic, partition }: TopicPartition, count: number): void {
  if (partition >= 0 && partition < count) return;
  throw new MillraceError(
    'PARTITION_NOT_FOUND',
    `Topic '${topic}' has ${count} partition(s), partition ${partition} was asked for`,
    { topic, partition, partitions: count },
  );
}

function connect(cluster: Cluster): Promise<void> {
  const connected = cluster
    .connect()
    .then(() => cluster.refreshMetadata())
    .catch((error: unknown) => {
      // Of many names, among them some that kafkajs calls not retriable.
      throw isRefused(error) ? error : new Unanswered('no connection', error);
    });
  connected.catch(() => undefined); // Whoever asks next hears of it.
  return connected;
}

/** Not longer than it is worth waiting for: kafkajs waits for requests that may never be answered. */
async function disconnect(cluster: Cluster): Promise<void> {
  await within(cluster.disconnect(), disconnectMsMax).catch(() => undefined);
}

const disconnectMsMax = 1000;

/** An answer in time, or an error of type `CONNECTION`. */
export async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

class Unanswered extends Error {
  readonly type = 'CONNECTION';

  constructor(message: string, cause?: unknown) {
    super(cause instanceof Error ? `${message}: ${cause.message}` : message, { cause });
  }
}

/** Sends a request of our own encoding. */
export function send<T>(broker: Broker, request: ProtocolRequest<T>): Promise<T> {
  return broker.connectionPool.send(request);
}

/** Asking again does not help: somebody has to mend the credentials. */
function isRefused(error: unknown): boolean {
  const { name, message } = error as Error;
  return isRefusedUser(name) || isRefusedCertificate(message);
}

function isRefusedUser(name: string): boolean {
  return name === 'KafkaJSSASLAuthenticationError';
}

function isRefusedCertificate(message: string): boolean {
  return /certificate|self-signed|unable to verify|altname/i.test(message);
}

function unopened(error: unknown, brokers: string): MillraceError {
  const { name, message } = error as Error;
  const facts = { brokers };
  if (isRefusedUser(name)) {
    const sentence = `Kafka at ${brokers} refused the user name or password (${message})`;
    return new MillraceError('KAFKA_AUTHENTICATION_FAILED', sentence, facts, { cause: error });
  }
  if (isRefusedCertificate(message)) {
    const sentence = `The certificate of Kafka at ${brokers} is not trusted; check the CA that was given (${message})`;
    return new MillraceError('KAFKA_AUTHENTICATION_FAILED', sentence, facts, { cause: error });
  }
  return new MillraceError('KAFKA_UNREACHABLE', `Kafka at ${brokers} does not answer (${message})`, facts, {
    cause: error,
  });
}
