import { storeSerdes } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import type { HostRequests } from './host-requests.ts';
import type { ScanAnswer, SourceOffset } from './messages.ts';

export type StoreName = keyof typeof storeSerdes;

type KeyOf<N extends StoreName> = ReturnType<(typeof storeSerdes)[N]['key']['deserialize']>;
type ValueOf<N extends StoreName> = ReturnType<(typeof storeSerdes)[N]['value']['deserialize']>;

/** A committed row, decoded. */
export interface StoredRow<N extends StoreName> {
  readonly partition: number;
  readonly key: KeyOf<N>;
  readonly value: ValueOf<N>;
}

/** Rows of a page: few enough that the thread which owns the database answers within milliseconds. */
const pageRows = 1000;

/**
 * The committed rows of the shop's stores, page by page, all partitions.
 *
 * Every page is a snapshot of its own, so what is read in several pages is one state only while nothing commits: a
 * commit in between is an error, never a mixture.
 */
export class StoredRows {
  readonly #host: HostRequests;
  #partitions: Promise<ReadonlyMap<string, number>> | undefined;
  #asOf: readonly SourceOffset[] | undefined;

  constructor(host: HostRequests) {
    this.#host = host;
  }

  /** The source offsets that all rows read here follow from. */
  async asOf(): Promise<readonly SourceOffset[]> {
    if (this.#asOf === undefined) await this.#page('product-stats', 0, { after: null, limit: 1 });
    return this.#asOf!;
  }

  /**
   * In key order within a partition.
   * @throws MillraceError `TASK_STOPPED` when a commit has come since the first page, `STORE_NOT_FOUND`
   */
  async *of<N extends StoreName>(store: N): AsyncGenerator<StoredRow<N>, void, undefined> {
    const { key: keySerde, value: valueSerde } = storeSerdes[store];
    const partitions = (await this.#partitionCounts()).get(store) ?? 1;
    for (let partition = 0; partition < partitions; partition++) {
      let after: Uint8Array | null = null;
      for (;;) {
        const { rows, done }: ScanAnswer = await this.#page(store, partition, { after, limit: pageRows });
        for (const { key, value } of rows) {
          yield {
            partition,
            key: keySerde.deserialize(key) as KeyOf<N>,
            value: valueSerde.deserialize(value) as ValueOf<N>,
          };
        }
        if (done) break;
        after = rows.at(-1)!.key;
      }
    }
  }

  #partitionCounts(): Promise<ReadonlyMap<string, number>> {
    this.#partitions ??= this.#host
      .request<'stores'>({ kind: 'stores' })
      .then((stores) => new Map(stores.map(({ name, partitions }) => [name, partitions])));
    return this.#partitions;
  }

  async #page(store: StoreName, partition: number, page: { after: Uint8Array | null; limit: number }) {
    const answer = await this.#host.request<'scan'>({ kind: 'scan', store, partition, ...page });
    this.#asOf ??= answer.asOf;
    for (const { topic, partition: source, offset } of answer.asOf) {
      const begun = this.#asOf.find((other) => other.topic === topic && other.partition === source)?.offset;
      if (begun === offset) continue;
      throw new MillraceError(
        'TASK_STOPPED',
        `Reading all rows wants a state that stands still at offset ${begun} of '${topic}' ${source}, found ${offset} in '${store}'.`,
        { store, topic, partition: source, offset },
      );
    }
    return answer;
  }
}
