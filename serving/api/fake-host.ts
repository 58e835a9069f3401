import {
  Chunk,
  chunkKey,
  emptyPairTotals,
  pairRow,
  storeNames,
  storeSerdes,
  type ProductStats,
} from '../../processors/index.ts';
import type { LogRecord } from '../../log/index.ts';
import type { Answers, FetchRequest, Publication, Request } from '../host/messages.ts';
import { unpackRecords } from '../host/packed-records.ts';
import { RowSlicer } from '../host/published-rows.ts';
import { publishedStores } from '../host/published-stores.ts';
import { FakeRows } from '../view/fake-rows.ts';
import type { ApiHost } from './context.ts';

/**
 * A double of the protocol between the HTTP thread and the host thread, for tests of routes: it keeps what is produced,
 * answers what it is told to, and publishes a small shop. The real host answers in serving/serving.e2e.test.ts.
 */
export class FakeHost implements ApiHost {
  readonly partitions = 1;
  readonly publishedStores = publishedStores;
  readonly produced: {
    readonly topic: string;
    readonly records: readonly LogRecord[];
    readonly eventIds: readonly string[];
  }[] = [];
  readonly answers: { [K in Request['kind']]?: (request: Extract<Request, { kind: K }>) => unknown } = {};
  topologyFailed: Parameters<ApiHost['onTopologyFailed']>[0] = () => {};
  readonly #known = new Set<string>();
  readonly #rows = new FakeRows();
  #publish: (publication: Publication) => void = () => {};

  request<K extends Request['kind']>(request: Extract<Request, { readonly kind: K }>): Promise<Answers[K]> {
    const answer = this.answers[request.kind] as ((of: unknown) => unknown) | undefined;
    if (answer !== undefined) return Promise.resolve(answer(request)) as Promise<Answers[K]>;
    if (request.kind === 'produce')
      return Promise.resolve(this.#produce(request as ProduceRequest)) as Promise<Answers[K]>;
    if (request.kind === 'fetch')
      return Promise.resolve(this.#rows.fetch(request as unknown as FetchRequest)) as Promise<unknown> as Promise<
        Answers[K]
      >;
    if (request.kind === 'lag') return Promise.resolve([]) as unknown as Promise<Answers[K]>;
    return Promise.reject(new Error(`The fake host has no answer to '${request.kind}'`));
  }

  onPublication(listener: (publication: Publication) => void): void {
    this.#publish = listener;
  }

  onTopologyFailed(listener: FakeHost['topologyFailed']): void {
    this.topologyFailed = listener;
  }

  publish(rows: readonly FakeRow[], offset: number): void {
    const slicer = new RowSlicer(1e6);
    for (const { store, key, value } of rows) {
      const serdes = storeSerdes[store] as unknown as Serdes;
      const row = {
        store: publishedStores.indexOf(store),
        partition: 0,
        key: serdes.key.serialize(key).slice(),
        value: serdes.value.serialize(value).slice(),
      };
      this.#rows.put(row);
      slicer.add(row);
    }
    const asOf = [{ topic: 'interactions', partition: 0, offset }];
    this.#publish({ slice: slicer.take(), last: true, whole: false, generation: 1, asOf, committedAtMs: Date.now() });
  }

  #produce({ topic, records, eventIds = [] }: Extract<Request, { kind: 'produce' }>): Answers['produce'] {
    const duplicates = [...eventIds.keys()].filter((at) => this.#known.has(eventIds[at]!));
    for (const id of eventIds) this.#known.add(id);
    const all = [...unpackRecords(records).values()].flat();
    this.produced.push({ topic, records: all.filter((_, at) => !duplicates.includes(at)), eventIds });
    return { appended: all.length - duplicates.length, duplicates };
  }
}

type ProduceRequest = Extract<Request, { readonly kind: 'produce' }>;

interface FakeRow {
  readonly store: keyof typeof storeSerdes;
  readonly key: unknown;
  readonly value: unknown;
}

interface Serdes {
  readonly key: { serialize(value: unknown): Uint8Array };
  readonly value: { serialize(value: unknown): Uint8Array };
}

export function statsOf(purchases: number, of: Partial<ProductStats> = {}): ProductStats {
  return {
    views: 0,
    carts: 0,
    purchases,
    returns: 0,
    favorites: 0,
    removes: 0,
    ratings: 0,
    quantity: purchases,
    revenue: purchases * 10_000,
    firstSeenMs: Date.UTC(2010, 11, 30),
    lastSeenMs: Date.UTC(2011, 0, 2),
    service: false,
    trend: { refMs: 0, fast: 0, slow: 0 },
    ...of,
  };
}

/**
 * Products `a/b`, `lamp`, `mug` and the service `POST`, bought 9, 7, 5 and 99 times; each of the first three bought with
 * each of the others; `mug` also viewed with `lamp`, but less. User `ann` saw `lamp` last.
 */
export function smallShop(): FakeRow[] {
  const ids = ['a/b', 'lamp', 'mug', 'POST'];
  const rows: FakeRow[] = [];
  for (const [number, id] of ids.entries()) {
    rows.push({ store: storeNames.pairItemNames, key: number, value: id });
    rows.push({
      store: storeNames.productStats,
      key: id,
      value: statsOf([9, 7, 5, 99][number]!, { service: id === 'POST' }),
    });
    const title = id === 'mug' ? 'Mug <b>"red"</b>' : `Title of ${id}`;
    rows.push({
      store: storeNames.productTitles,
      key: id,
      value: [{ title, events: 1, firstMs: 1, firstEventId: 'e' }],
    });
    rows.push({ store: storeNames.marginals, key: pairRow(number, 1), value: 9 });
    const chunk = Chunk.head();
    for (let other = 0; other < 4; other += 1) if (other !== number) chunk.append(other, 1024 * (5 - other), 5 - other);
    rows.push({ store: storeNames.pairs, key: chunkKey(pairRow(number, 1), 0), value: chunk });
  }
  rows.push(bestSellersRow({ 'a/b': 9, lamp: 7, mug: 5 }));
  rows.push({ store: storeNames.pairTotals, key: 'bought', value: { ...emptyPairTotals(), sessions: 20 } });
  const counts = { views: 1, carts: 0, purchases: 0, returns: 0, quantity: 0, spend: 0, firstSeenMs: 1, lastSeenMs: 1 };
  const recent = [{ productId: 'lamp', timestamp: 1, eventId: 'e' }];
  rows.push({ store: storeNames.userProfiles, key: 'ann', value: { ...counts, recent } });
  return rows;
}

/** What sells best in a category, '' being the whole shop, by product id; nothing trends. */
export function bestSellersRow(sold: Readonly<Record<string, number>>, category = ''): FakeRow {
  const entries = Object.entries(sold)
    .map(([productId, purchases]) => ({ productId, rank: purchases, purchases }))
    .sort((a, b) => b.purchases - a.purchases);
  const bestSellers = { complete: true, entries };
  const trending = { complete: true, entries: [] };
  const value = { products: entries.length, active: entries.length, lastMs: 0, trending, bestSellers };
  return { store: storeNames.categoryTops, key: category, value };
}
