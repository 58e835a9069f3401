import { MillraceError } from '../../schemas/errors.ts';
import type { ConsumedOffset, LogRecord, LogTransaction, TopicPartition, TransactionalProducer } from '../log.ts';
import { byTopic } from './by-topic.ts';
import { send, type Connections } from './connections.ts';
import { deliver, fencedError, nameOf, type DeliveryOptions, type Part, type ProducerSession } from './delivery.ts';
import { isFenced, kafkaError } from './kafka-errors.ts';
import type { Broker, Producer, ProducerOf } from './kafkajs.ts';
import { nextEpochRequest } from './next-epoch-request.ts';

/**
 * The producer of one transactional id (KIP-98), its transactions one after the other.
 *
 *     begin -> [ send, sendOffsets ]* -> commit:  AddPartitionsToTxn, Produce, AddOffsetsToTxn, TxnOffsetCommit, EndTxn
 *
 * A new one takes the id over (InitProducerId): what an earlier producer had begun is aborted, or committed if its end was
 * already decided, before `open` resolves; from then on the earlier one is fenced.
 *
 * Where a request's fate is unknown it is asked again: adding and numbered appends are idempotent, and so is EndTxn as long as
 * nothing else has come in between, so that a commit whose answer was lost is told from one that never arrived. But the request
 * that got no answer may still wait in the broker, on the connection that was lost, and end the *next* transaction half way, or
 * commit old offsets in it (KIP-890 tells of it; a chaos test showed it). So after a transaction with such a doubt the id gets a
 * new epoch before another begins: what comes late is of the old one.
 *
 * Only when the coordinator stays away is the outcome left open: `COMMIT_OUTCOME_UNKNOWN`, and the id has to be taken over again.
 */
export class KafkaProducer implements TransactionalProducer {
  readonly #connections: Connections;
  readonly #options: ProducerOptions;
  #session: Session;
  #open: KafkaTransaction | undefined;
  /** A request of the open transaction was not answered. */
  #inDoubt = false;
  /** Why it can't be used any more. */
  #failure: MillraceError | undefined;

  static async open(
    connections: Connections,
    transactionalId: string,
    options: ProducerOptions,
  ): Promise<KafkaProducer> {
    const doing = `Taking over the transactional id '${transactionalId}'`;
    const producer = await connections.onCoordinator('transaction', transactionalId, doing, (broker) =>
      broker.initProducerId({ transactionalId, transactionTimeout: options.transactionTimeoutMs }),
    );
    return new KafkaProducer(connections, sessionOf(transactionalId, producer), options);
  }

  private constructor(connections: Connections, session: Session, options: ProducerOptions) {
    this.#connections = connections;
    this.#session = session;
    this.#options = { ...options, onDoubt: this.#doubt };
  }

  get transactionalId(): string {
    return this.#session.transactionalId;
  }

  /** After a failure there is none to begin: the id has to be taken over again. */
  begin(): LogTransaction {
    if (this.#failure !== undefined) throw this.#failure;
    const { transactionalId } = this.#session;
    if (this.#open !== undefined) {
      throw new MillraceError('INVALID_ARGUMENT', `A transaction of '${transactionalId}' is open already`, {
        transactionalId,
      });
    }
    this.#open = new KafkaTransaction(this, this.#options.check);
    return this.#open;
  }

  /** The id was opened again in this process: no need to ask a broker. */
  fence(): void {
    this.#failure ??= fencedError(this.#session.transactionalId, undefined);
  }

  async commit(
    parts: readonly Part[],
    offsets: ReadonlyMap<string, readonly ConsumedOffset[]>,
  ): Promise<readonly ConsumedOffset[]> {
    return await this.#ending(async () => {
      if (parts.length === 0 && offsets.size === 0) return [];
      const ends: ConsumedOffset[] = [];
      if (parts.length > 0) {
        await this.#addPartitions(parts);
        const delivered = await deliver(this.#connections, this.#session, parts, this.#options);
        delivered.forEach(({ endOffset }, at) => {
          const { topic, partition } = parts[at]!;
          if (endOffset !== undefined) ends.push({ topic, partition, offset: endOffset });
        });
      }
      for (const [group, consumed] of offsets) await this.#addOffsets(group, consumed);
      await this.#end(true);
      return ends;
    });
  }

  /** Nothing has been sent before a commit, so there is nothing to take back. */
  async abort(): Promise<void> {
    await this.#ending(async () => []);
  }

  async #ending(end: () => Promise<readonly ConsumedOffset[]>): Promise<readonly ConsumedOffset[]> {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const ends = await end();
      this.#open = undefined;
      if (this.#inDoubt) await this.#renew();
      return ends;
    } catch (error) {
      const { transactionalId } = this.#session;
      const fenced = isFenced((error as Error).cause);
      this.#failure ??= fenced
        ? fencedError(transactionalId, error)
        : kafkaError(error, 'Committing', { transactionalId });
      throw this.#failure;
    }
  }

  /**
   * A new epoch, unless another has the id by now: then there is no going on without what that one did.
   * What was committed stays committed: when this fails, it is the next transaction that hears of it.
   */
  async #renew(): Promise<void> {
    this.#inDoubt = false;
    const { transactionalId } = this.#session;
    const request = nextEpochRequest(this.#identity, this.#options.transactionTimeoutMs);
    const doing = `Renewing the epoch of '${transactionalId}'`;
    try {
      const next = await this.#connections.onCoordinator('transaction', transactionalId, doing, (broker) =>
        send(broker, request),
      );
      this.#session = sessionOf(transactionalId, next);
    } catch (error) {
      const fenced = isFenced((error as Error).cause);
      this.#failure = fenced ? fencedError(transactionalId, error) : kafkaError(error, doing, { transactionalId });
    }
  }

  readonly #doubt = (): void => {
    this.#inDoubt = true;
  };

  async #addPartitions(parts: readonly TopicPartition[]): Promise<void> {
    const topics = byTopic(parts).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition),
    }));
    await this.#ask('Adding partitions to a transaction', (broker, producer) =>
      broker.addPartitionsToTxn({ ...producer, topics }),
    );
  }

  async #addOffsets(group: string, consumed: readonly ConsumedOffset[]): Promise<void> {
    await this.#ask('Adding offsets to a transaction', (broker, producer) =>
      broker.addOffsetsToTxn({ ...producer, groupId: group }),
    );
    const topics = byTopic(consumed.map((each) => ({ ...each, offset: String(each.offset) })));
    await this.#connections.onCoordinator(
      'group',
      group,
      `Committing offsets of the group '${group}'`,
      (broker) => broker.txnOffsetCommit({ ...this.#identity, groupId: group, topics }),
      { onDoubt: this.#doubt },
    );
  }

  async #end(transactionResult: boolean): Promise<void> {
    try {
      await this.#ask('Ending a transaction', (broker, producer) => broker.endTxn({ ...producer, transactionResult }));
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'KAFKA_UNREACHABLE') throw error;
      const { transactionalId } = this.#session;
      throw new MillraceError(
        'COMMIT_OUTCOME_UNKNOWN',
        `Whether the transaction of '${transactionalId}' was committed is not known: its coordinator does not answer`,
        { transactionalId },
        { cause: error },
      );
    }
  }

  #ask<T>(doing: string, ask: (broker: Broker, producer: ProducerOf) => Promise<T>): Promise<T> {
    const { transactionalId } = this.#session;
    return this.#connections.onCoordinator(
      'transaction',
      transactionalId,
      `${doing} of '${transactionalId}'`,
      (broker) => ask(broker, this.#identity),
      { onDoubt: this.#doubt },
    );
  }

  get #identity(): ProducerOf {
    const { transactionalId, producerId, producerEpoch } = this.#session;
    return { transactionalId, producerId: String(producerId), producerEpoch };
  }
}

type CheckRecords = (partition: TopicPartition, records: readonly LogRecord[]) => void;

export interface ProducerOptions extends DeliveryOptions {
  readonly transactionTimeoutMs: number;
  /** Refuses records before they are collected. */
  readonly check: CheckRecords;
}

type Session = ProducerSession & { readonly transactionalId: string };

function sessionOf(transactionalId: string, { producerId, producerEpoch }: Producer): Session {
  return { transactionalId, producerId: BigInt(producerId), producerEpoch, sequences: new Map() };
}

/** Collects; everything is sent when it commits. */
class KafkaTransaction implements LogTransaction {
  readonly #producer: KafkaProducer;
  readonly #parts = new Map<string, TopicPartition & { readonly records: LogRecord[] }>();
  readonly #offsets = new Map<string, ConsumedOffset[]>();
  #ended = false;

  readonly #check: CheckRecords;

  constructor(producer: KafkaProducer, check: CheckRecords) {
    this.#producer = producer;
    this.#check = check;
  }

  send({ topic, partition }: TopicPartition, records: readonly LogRecord[]): void {
    this.#checkOpen();
    this.#check({ topic, partition }, records);
    const name = nameOf({ topic, partition });
    const part = this.#parts.get(name) ?? { topic, partition, records: [] };
    this.#parts.set(name, part);
    for (const record of records) part.records.push(record);
  }

  sendOffsets(group: string, offsets: readonly ConsumedOffset[]): void {
    this.#checkOpen();
    this.#offsets.set(group, [...(this.#offsets.get(group) ?? []), ...offsets]);
  }

  async commit(): Promise<readonly ConsumedOffset[]> {
    this.#checkOpen();
    this.#ended = true;
    const parts = [...this.#parts.values()].filter(({ records }) => records.length > 0);
    return await this.#producer.commit(parts, this.#offsets);
  }

  async abort(): Promise<void> {
    this.#checkOpen();
    this.#ended = true;
    await this.#producer.abort();
  }

  #checkOpen(): void {
    if (!this.#ended) return;
    const { transactionalId } = this.#producer;
    throw new MillraceError('INVALID_ARGUMENT', `The transaction of '${transactionalId}' has ended`, {
      transactionalId,
    });
  }
}
