import type {
  CatalogueCounts,
  CategoryFunnelRow,
  CategoryHourRow,
  CategoryProductRow,
  CategoryTopsRow,
  ListKind,
  MarginalRow,
  PairRow,
  PairTotalsRow,
  ProductCategoriesRow,
  ProductHourRow,
  ProductRow,
  ProductStatsRow,
  ProductTitlesRow,
  ProductUsersRow,
  ScoredItem,
  SessionWindowRow,
  StateReader,
  TitleWordRow,
  UserProductRow,
  UserProfileRow,
} from '../../models/recompute/index.ts';
import {
  bestTitle,
  itemOfPairRow,
  hourMs,
  hourStartMs,
  parseCategoryProductKey,
  parseMonthKey,
  parseTitleWordKey,
  relationOfPairRow,
  rowOfChunkKey,
  Scorer,
  storeNames,
  stride,
  topsMax,
  trendingIn,
  type CatalogueCounter,
  type CategoryTops,
  type PairView,
  type EventRelation,
  type Ranked,
  type Scored,
  type UserProducts,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import type { HostRequests } from './host-requests.ts';
import type { SourceOffset } from './messages.ts';
import { StoredRows } from './stored-rows.ts';
import { userAffinity, type AskMany } from './user-affinity.ts';

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
  readonly #host: HostRequests;
  readonly #rows: StoredRows;
  readonly #view: ListView;
  readonly #scorer: Scorer;
  #itemNames: Promise<ItemNames> | undefined;

  constructor(host: HostRequests, view: ListView) {
    this.#host = host;
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

  async *titleWords(): AsyncGenerator<TitleWordRow> {
    for await (const { key } of this.#rows.of(storeNames.titleWords)) yield parseTitleWordKey(key);
  }

  async *userProfiles(): AsyncGenerator<UserProfileRow> {
    for await (const { key: userId, value } of this.#rows.of(storeNames.userProfiles)) yield { userId, ...value };
  }

  async *userProducts(): AsyncGenerator<UserProductRow> {
    for await (const { key: userId, value } of this.#rows.of(storeNames.userProducts)) {
      for (const product of value) yield { userId, ...product };
    }
  }

  async catalogueCounts(): Promise<CatalogueCounts> {
    const counts: Record<CatalogueCounter, number> = { accepted: 0, late: 0, same: 0, invalid: 0 };
    for await (const { key, value } of this.#rows.of(storeNames.catalogueCounters)) {
      counts[key as CatalogueCounter] += value;
    }
    return counts;
  }

  async *products(): AsyncGenerator<ProductRow> {
    for await (const { value } of this.#rows.of(storeNames.products)) yield value;
  }

  async *productCategories(): AsyncGenerator<ProductCategoriesRow> {
    for await (const { key: productId, value: categories } of this.#rows.of(storeNames.productCategories)) {
      yield { productId, categories };
    }
  }

  async *categoryHours(): AsyncGenerator<CategoryHourRow> {
    for await (const { key, value } of this.#rows.of(storeNames.categoryHours)) {
      const { id: category, month } = parseMonthKey(key);
      for (const { hour, ...figures } of value) {
        yield { category, hour: hourStartMs(month, hour) / hourMs, ...figures };
      }
    }
  }

  async *categoryProducts(): AsyncGenerator<CategoryProductRow> {
    for await (const { key, value } of this.#rows.of(storeNames.categoryProducts)) {
      yield { ...parseCategoryProductKey(key), ...value };
    }
  }

  async *categoryTops(): AsyncGenerator<CategoryTopsRow> {
    for await (const { key: category, value } of this.#rows.of(storeNames.categoryTops)) {
      const { products, active, trending, bestSellers } = value;
      const first = (entries: readonly Ranked[]): ScoredItem[] =>
        entries.slice(0, topsMax(category)).map(({ productId: id, rank: score }) => ({ id, score }));
      yield { category, products, active, byFast: first(trending.entries), bestSellers: first(bestSellers.entries) };
    }
  }

  async *sessionWindows(): AsyncGenerator<SessionWindowRow> {
    for await (const { key: sessionKey, value } of this.#rows.of(storeNames.sessionWindows)) {
      for (const { user, products, ...window } of value) {
        yield {
          sessionKey,
          ...window,
          userId: user?.userId ?? null,
          products: products.map((product) => ({ ...product, hour: product.hourMs / hourMs })),
        };
      }
    }
  }

  async *categoryFunnels(): AsyncGenerator<CategoryFunnelRow> {
    for await (const { key, value } of this.#rows.of(storeNames.categoryFunnels)) {
      const { id: category, month } = parseMonthKey(key);
      for (const { day, windows } of value) {
        yield { category, day: hourStartMs(month, 24 * (day - 1)) / (24 * hourMs), windows };
      }
    }
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
    const options = { limit, allow: (other: number) => view.isRecommended(other) };
    const scorer = this.#scorer;
    const items = await view.readThrough((): readonly Scored[] => {
      const item = view.product(id);
      if (item === undefined) return [];
      return kind === 'similar' ? scorer.similar(item, options).items : scorer.boughtTogether(item, options);
    });
    return items.map(({ item: other, score }) => ({ id: view.id(other), score }));
  }

  async bestSellers(limit: number): Promise<readonly ScoredItem[]> {
    const tops = await this.#view.readThrough(() => this.#view.tops(''));
    const first = tops?.bestSellers.entries.slice(0, limit) ?? [];
    return first.map(({ productId: id, purchases: score }) => ({ id, score }));
  }

  async trending(category: string, limit: number): Promise<readonly ScoredItem[]> {
    const view = this.#view;
    return await view.readThrough(() => {
      const trends = trendingIn(category, view.tops(category), view.tops('')?.lastMs ?? 0);
      return trends.slice(0, limit).map(({ productId: id, score }) => ({ id, score }));
    });
  }

  async categoryAffinity(userId: string, limit: number): Promise<readonly ScoredItem[]> {
    const ask: AskMany = (request) => this.#host.request<'getMany'>(request);
    const { values } = await ask({ kind: 'getMany', keys: [{ store: storeNames.userProducts, key: userId }] });
    const shares = await userAffinity(ask, (values[0] as UserProducts | null) ?? []);
    return shares.slice(0, limit).map(({ category: id, share: score }) => ({ id, score }));
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
