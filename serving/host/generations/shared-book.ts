import { randomUUID } from 'node:crypto';
import type { ConsumedOffset, Log, TopicPartition } from '../../../log/index.ts';
import { isMillraceError } from '../../../schemas/index.ts';
import { holdKey } from '../../../topology/index.ts';
import { firstBook, withDefaults, type GenerationBook } from './generation-book.ts';

/**
 * The book of generations that all instances of a shop share: a compacted topic of one partition.
 *
 *     book                 → GenerationBook, and a name of the change that made it
 *     held/<hold>/<task>   → at which offsets a task of the active generation is held, by its own commit
 *
 * Who changes it takes over the one transactional id first, so that a change is decided upon what is there, and by one at a time.
 */
export class SharedBook {
  /** Where tasks tell that they hold. */
  readonly marks: TopicPartition;
  readonly #log: Log;
  readonly #transactionalId: string;
  #book: GenerationBook;
  #changeId: string | undefined;
  readonly #held = new Map<string, readonly ConsumedOffset[]>();
  #offset = 0;
  #reading: Promise<void> = Promise.resolve();
  #changing: Promise<unknown> = Promise.resolve();

  /** `shopId`: the application id of the first generation. */
  static async open(log: Log, shopId: string): Promise<SharedBook> {
    const name = `${shopId}.generations`;
    await log.createTopics([{ name, partitions: 1, cleanup: 'compact' }]);
    const book = new SharedBook(log, name, firstBook(shopId));
    await book.refresh();
    return book;
  }

  private constructor(log: Log, name: string, book: GenerationBook) {
    this.#log = log;
    this.#transactionalId = name;
    this.#book = book;
    this.marks = { topic: name, partition: 0 };
  }

  /** As it was last read. */
  get book(): GenerationBook {
    return this.#book;
  }

  /** By task: at which offsets it is held. */
  heldFor(holdId: string): ReadonlyMap<string, readonly ConsumedOffset[]> {
    const prefix = holdKey(holdId, '');
    const held = [...this.#held].filter(([key]) => key.startsWith(prefix));
    return new Map(held.map(([key, offsets]) => [key.slice(prefix.length), offsets]));
  }

  /** Reads what was committed before it is called. */
  refresh(): Promise<void> {
    const read = this.#reading.then(() => this.#readOn());
    this.#reading = read.catch(() => undefined); // Whoever asked hears of it.
    return read;
  }

  /** Decides upon the newest book; undefined: nothing is to change. What the decision throws is thrown on. */
  change(decide: (book: GenerationBook) => Promise<BookChange | undefined> | BookChange | undefined): Promise<void> {
    const changed = this.#changing.then(() => this.#change(decide));
    this.#changing = changed.catch(() => undefined); // Whoever asked hears of it.
    return changed;
  }

  async #change(
    decide: (book: GenerationBook) => Promise<BookChange | undefined> | BookChange | undefined,
  ): Promise<void> {
    const changeId = randomUUID();
    for (;;) {
      const producer = await this.#log.openProducer(this.#transactionalId);
      await this.refresh();
      if (this.#changeId === changeId) return; // A commit whose outcome was not known had come through.
      const change = await decide(this.#book);
      if (change === undefined) return;
      const { book, offsets = new Map<string, ConsumedOffset[]>() } = change;
      const timestamp = Date.now();
      const settled = book.handOver === undefined ? [...this.#held.keys()] : [];
      try {
        const transaction = producer.begin();
        transaction.send(this.marks, [
          {
            key: Buffer.from(bookKey),
            value: Buffer.from(JSON.stringify({ changeId, book } satisfies Written)),
            timestamp,
          },
          ...settled.map((key) => ({ key: Buffer.from(key), value: null, timestamp })),
        ]);
        for (const [group, consumed] of offsets) if (consumed.length > 0) transaction.sendOffsets(group, consumed);
        await transaction.commit();
      } catch (error) {
        if (isMillraceError(error) && retried.has(error.code)) continue;
        throw error;
      }
      this.#book = book;
      this.#changeId = changeId;
      return;
    }
  }

  async #readOn(): Promise<void> {
    const end = await this.#log.listOffsets(this.marks, 'latest');
    while (this.#offset < end) {
      const { records, nextOffset } = await this.#log.read(this.marks, this.#offset, limits);
      for (const { key, value } of records) this.#take(Buffer.from(key!).toString(), value);
      this.#offset = nextOffset;
    }
  }

  #take(key: string, value: Uint8Array | null): void {
    if (value === null) {
      this.#held.delete(key);
    } else if (key === bookKey) {
      const { changeId, book } = JSON.parse(Buffer.from(value).toString()) as Written;
      this.#book = withDefaults(book);
      this.#changeId = changeId;
    } else {
      this.#held.set(key, JSON.parse(Buffer.from(value).toString()) as ConsumedOffset[]);
    }
  }
}

export interface BookChange {
  readonly book: GenerationBook;
  /** Offsets that are committed with it, by consumer group. */
  readonly offsets?: ReadonlyMap<string, readonly ConsumedOffset[]>;
}

interface Written {
  readonly changeId: string;
  readonly book: GenerationBook;
}

const bookKey = 'book';
const limits = { maxRecords: 1000, maxBytes: 1024 * 1024 };
/** Another has changed the book meanwhile, or it is not known whether this one has. */
const retried = new Set(['PRODUCER_FENCED', 'COMMIT_OUTCOME_UNKNOWN']);
