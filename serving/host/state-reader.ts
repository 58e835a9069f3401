import type {
  BestSeller,
  ListKind,
  MarginalRow,
  PairRow,
  PairTotalsRow,
  ProductHourRow,
  ProductStatsRow,
  ProductTitlesRow,
  ProductUsersRow,
  ScoredItem,
  StateReader,
  UserProfileRow,
} from '../../models/recompute/index.ts';
import {
  bestTitle,
  itemOfPairRow,
  hourStartMs,
  parseMonthKey,
  relationOfPairRow,
  rowOfChunkKey,
  Scorer,
  storeNames,
  stride,
  type CategoryTops,
  type PairView,
  type EventRelation,
  type Scored,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import type { HostRequests } from './host-requests.ts';
import type { SourceOffset } from './messages.ts';
import { StoredRows } from './stored-rows.ts';

/**
 * What `millrace verify` and the long tests hold against the recomputation (docs/architecture/verify.md): the committed
 * rows of a data folder, in the words of `models/recompute/`.
 *
 *     stores ──'scan' pages──> StoredRows ──> rows as models/recompute/rows.ts names them
 *                                        └──> PairView ──> Scorer ──> lists
 *
 * The topology has to stand still meanwhile: a host opened with `runs: false`, or one that has caught up and gets no
 * events. What is kept per partition is joined here: pair totals are added up, numbers of items become their ids.
 *
 * Lists come from the view and the `Scorer` that the server asks, so that they are the server's answers.
 */
export class HostStateReader implements StateReader {
  readonly #rows: StoredRows;
  readonly #view: ListView;
  readonly #scorer: Scorer;
  #itemNames: Promise<ItemNames> | undefined;

  constructor(host: HostRequests, view: ListView) {
    this.#rows = new StoredRows(host);
    this.#view = view;
    this.#scorer = new Scorer(view);
  }

  /** The source offsets that the rows follow from. */
  asOf(): Promise<readonly SourceOffset[]> {
    return this.#rows.asOf();
  }

  async *productStats(): AsyncGenerator<ProductStatsRow> {
    for await (const { key: productId, value } of this.#rows.of(storeNames.productStats)) {
      yield { productId, ...value };
    }
  }

  async *productHours(): AsyncGenerator<ProductHourRow> {
    for await (const { key, value } of this.#rows.of(storeNames.productHours)) {
      const { id: productId, month } = parseMonthKey(key);
      for (const { hour, ...figures } of value) {
        yield { productId, hour: hourStartMs(month, hour) / 3_600_000, ...figures };
      }
    }
  }

  async *productUsers(): AsyncGenerator<ProductUsersRow> {
    for await (const { key: productId, value } of this.#rows.of(storeNames.productUsers)) {
      yield { productId, registers: value.toRegisters() };
    }
  }

  async *productTitles(): AsyncGenerator<ProductTitlesRow> {
    for await (const { key: productId, value } of this.#rows.of(storeNames.productTitles)) {
      const titles = value.map(({ title, events, firstMs }) => ({ title, count: events, firstSeenMs: firstMs }));
      yield { productId, title: bestTitle(value), titles };
    }
  }

  async *userProfiles(): AsyncGenerator<UserProfileRow> {
    for await (const { key: userId, value } of this.#rows.of(storeNames.userProfiles)) yield { userId, ...value };
  }

  async *marginals(): AsyncGenerator<MarginalRow> {
    const names = await this.#names();
    for await (const { partition, key: row, value: sessions } of this.#rows.of(storeNames.marginals)) {
      const relation = relationOfPairRow(row);
      if (relation === 'viewed-bought')
        throw new MillraceError('INTERNAL', `'viewed-bought' has no marginals, found row ${row}`, { row });
      yield { relation, item: names.of(partition, itemOfPairRow(row)), sessions };
    }
  }

  async *pairTotals(): AsyncGenerator<PairTotalsRow> {
    const sums = new Map<EventRelation, { sessions: number; rep: number[]; repN: number[] }>();
    for await (const { key, value } of this.#rows.of(storeNames.pairTotals)) {
      const relation = key as EventRelation;
      const sum = sums.get(relation) ?? {
        sessions: 0,
        rep: Array<number>(10).fill(0),
        repN: Array<number>(10).fill(0),
      };
      sums.set(relation, sum);
      sum.sessions += value.sessions;
      for (let at = 0; at < 10; at++) {
        sum.rep[at]! += value.rep[at + 1]!;
        sum.repN[at]! += value.repN[at + 1]!;
      }
    }
    for (const [relation, sum] of sums) yield { relation, ...sum };
  }

  async *pairRows(): AsyncGenerator<PairRow> {
    const names = await this.#names();
    for await (const { partition, key, value } of this.#rows.of(storeNames.pairs)) {
      const row = rowOfChunkKey(key);
      const relation = relationOfPairRow(row);
      const item = names.of(partition, itemOfPairRow(row));
      const { words, size } = value;
      for (let word = 0; word < size * stride; word += stride) {
        const neighbour = names.of(partition, words[word]!);
        yield { relation, item, neighbour, weight: words[word + 1]!, count: words[word + 2]! };
      }
    }
  }

  async list(kind: ListKind, id: string, limit: number): Promise<readonly ScoredItem[]> {
    const view = this.#view;
    const item = view.product(id);
    if (item === undefined) return [];
    const options = { limit, allow: (other: number) => view.isRecommended(other) };
    const scorer = this.#scorer;
    const items = await view.readThrough((): readonly Scored[] =>
      kind === 'similar' ? scorer.similar(item, options).items : scorer.boughtTogether(item, options),
    );
    return items.map(({ item: other, score }) => ({ id: view.id(other), score }));
  }

  async bestSellers(limit: number): Promise<readonly BestSeller[]> {
    const tops = await this.#view.readThrough(() => this.#view.tops(''));
    return (tops?.bestSellers.entries ?? []).slice(0, limit).map(({ productId: id, purchases }) => ({ id, purchases }));
  }

  #names(): Promise<ItemNames> {
    this.#itemNames ??= readNames(this.#rows);
    return this.#itemNames;
  }
}

/** What lists are made of: the view of the HTTP thread. */
export interface ListView extends PairView {
  /** The index of a product that has had an event. */
  product(id: string): number | undefined;
  isRecommended(item: number): boolean;
  /** What trends and sells best in a category, '' being the whole shop. */
  tops(category: string): CategoryTops | undefined;
  /** What `read` gives once all the rows that it reads are here. */
  readThrough<T>(read: () => T): T | Promise<T>;
}

interface ItemNames {
  of(partition: number, item: number): string;
}

/** Every partition numbers items for itself. */
async function readNames(rows: StoredRows): Promise<ItemNames> {
  const partitions: string[][] = [];
  for await (const { partition, key: item, value: name } of rows.of(storeNames.pairItemNames)) {
    (partitions[partition] ??= [])[item] = name;
  }
  return {
    of(partition, item) {
      const name = partitions[partition]?.[item];
      if (name !== undefined) return name;
      const message = `Item ${item} of partition ${partition} wants a name in '${storeNames.pairItemNames}', found none.`;
      throw new MillraceError('INTERNAL', message, { partition, item });
    },
  };
}
