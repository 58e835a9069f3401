import { MillraceError } from '../../schemas/errors.ts';
import type { ConsumedOffset, LogRecord, LogTransaction, TopicPartition } from '../log.ts';

/**
 * A transaction waits in memory and becomes one write when it commits, so nobody can see half of it and abort forgets
 * it. Fencing: the log keeps one open transaction an id; when another begins, the old one may do nothing more.
 */
export class EmbeddedTransaction implements LogTransaction {
  readonly sends: StagedSend[] = [];
  readonly offsets = new Map<string, ConsumedOffset[]>();
  readonly #id: string;
  readonly #host: TransactionHost;
  #state: 'open' | 'fenced' | 'ended' = 'open';
  /** Settles when the commit has, however it went. */
  #ending: Promise<void> = Promise.resolve();

  constructor(id: string, host: TransactionHost) {
    this.#id = id;
    this.#host = host;
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

  async commit(): Promise<void> {
    this.#mustBeOpen();
    this.#state = 'ended';
    const commit = this.#host.commit(this);
    // The caller of `commit` hears of a failure; `fence` only waits for the end.
    this.#ending = commit.catch(() => undefined);
    await commit;
  }

  async abort(): Promise<void> {
    this.#mustBeOpen();
    this.#state = 'ended';
    this.#host.ended(this);
  }

  /** Another transaction begins under the id; it has to wait for a commit that is on its way. */
  async fence(): Promise<void> {
    if (this.#state === 'open') this.#state = 'fenced';
    await this.#ending;
  }

  get id(): string {
    return this.#id;
  }

  #mustBeOpen(): void {
    if (this.#state === 'open') return;
    const facts = { transactionalId: this.#id };
    if (this.#state === 'ended') {
      throw new MillraceError('INVALID_ARGUMENT', `The transaction of '${this.#id}' has ended already`, facts);
    }
    throw new MillraceError('PRODUCER_FENCED', `Another transaction has begun under the id '${this.#id}'`, facts);
  }
}

export interface StagedSend {
  readonly partition: TopicPartition;
  readonly records: readonly LogRecord[];
}

export interface TransactionHost {
  check(partition: TopicPartition, records: readonly LogRecord[]): void;
  commit(transaction: EmbeddedTransaction): Promise<void>;
  ended(transaction: EmbeddedTransaction): void;
}
