import { MillraceError } from '../../schemas/errors.ts';
import type { ConsumedOffset, LogRecord, LogTransaction, TopicPartition, TransactionalProducer } from '../log.ts';

/** The owner of a transactional id, until another is opened: then it may do nothing more. */
export class EmbeddedProducer implements TransactionalProducer {
  readonly #id: string;
  readonly #host: TransactionHost;
  #transaction: EmbeddedTransaction | undefined;
  #fenced = false;

  constructor(id: string, host: TransactionHost) {
    this.#id = id;
    this.#host = host;
  }

  begin(): LogTransaction {
    if (this.#fenced) throw fencedError(this.#id);
    if (this.#transaction?.isOpen === true) {
      throw new MillraceError('INVALID_ARGUMENT', `A transaction of '${this.#id}' is open already`, {
        transactionalId: this.#id,
      });
    }
    this.#transaction = new EmbeddedTransaction(this.#id, this.#host);
    return this.#transaction;
  }

  /** Another takes the id over; it has to wait for a commit that is on its way. */
  async fence(): Promise<void> {
    this.#fenced = true;
    await this.#transaction?.fence();
  }
}

/** A transaction waits in memory and becomes one write when it commits, so nobody can see half of it and abort forgets it. */
export class EmbeddedTransaction implements LogTransaction {
  readonly sends: StagedSend[] = [];
  readonly offsets = new Map<string, ConsumedOffset[]>();
  readonly #id: string;
  readonly #host: TransactionHost;
  #state: 'open' | 'fenced' | 'ended' = 'open';
  /** Settles when the commit has, however it went. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(id: string, host: TransactionHost) {
    this.#id = id;
    this.#host = host;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  send(partition: TopicPartition, records: readonly LogRecord[]): void {
    this.#mustBeOpen();
    this.#host.check(partition, records);
    if (records.length > 0) this.sends.push({ partition, records });
  }

  sendOffsets(group: string, offsets: readonly ConsumedOffset[]): void {
    this.#mustBeOpen();
    for (const offset of offsets) this.#host.check(offset, []);
    this.offsets.set(group, [...(this.offsets.get(group) ?? []), ...offsets]);
  }

  async commit(): Promise<readonly ConsumedOffset[]> {
    this.#mustBeOpen();
    this.#state = 'ended';
    const commit = this.#host.commit(this);
    // The caller of `commit` hears of a failure; `fence` only waits for the end.
    this.#ending = commit.catch(() => undefined);
    return await commit;
  }

  async abort(): Promise<void> {
    this.#mustBeOpen();
    this.#state = 'ended';
  }

  async fence(): Promise<void> {
    if (this.#state === 'open') this.#state = 'fenced';
    await this.#ending;
  }

  #mustBeOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state === 'fenced') throw fencedError(this.#id);
    throw new MillraceError('INVALID_ARGUMENT', `The transaction of '${this.#id}' has ended already`, {
      transactionalId: this.#id,
    });
  }
}

export interface StagedSend {
  readonly partition: TopicPartition;
  readonly records: readonly LogRecord[];
}

export interface TransactionHost {
  check(partition: TopicPartition, records: readonly LogRecord[]): void;
  commit(transaction: EmbeddedTransaction): Promise<readonly ConsumedOffset[]>;
}

function fencedError(id: string): MillraceError {
  return new MillraceError('PRODUCER_FENCED', `Another producer has been opened under the id '${id}'`, {
    transactionalId: id,
  });
}
