import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  newProductStats,
  partitionOfItem,
  storeNames,
  storeSerdes,
  titleKeys,
  titleListing,
  type TitleCount,
} from '../../processors/index.ts';
import type { Product } from '../../schemas/index.ts';
import { concatBytes, createMemoryEngine, WriteBatchBuilder } from '../../state/index.ts';
import type { SearchRequest } from './messages.ts';
import type { StoreName } from './stored-rows.ts';
import { searchBounds, titleSearch, type SearchBounds } from './title-search.ts';

/** A search finds what a scan over all titles finds, in the same order; where it says that it stopped, nothing but that. */

interface Shop {
  readonly id: string;
  readonly catalogue: string | null | undefined;
  readonly events: readonly string[];
  readonly active: boolean;
  readonly purchases: number;
  readonly views: number;
}

const words = ['red', 'Red', 'LAMP', 'lamps', 'Lámpara', 'lace', 'tea-cup', 'n°5', "women's", 'ﬁne', '7', 'x', 'Größe'];
const title = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }).map((of) => of.join(' '));
const counter = fc.oneof(fc.constant(0), fc.nat(6), fc.nat(300));
const shop = fc.uniqueArray(
  fc.record<Shop>({
    id: fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '😀', '\uffff'), minLength: 1, maxLength: 3 }),
    catalogue: fc.oneof(fc.constantFrom(null, undefined), title),
    events: fc.array(title, { maxLength: 2 }),
    active: fc.nat(4).map((of) => of > 0),
    purchases: counter,
    views: counter,
  }),
  { selector: ({ id }) => id, maxLength: 60, size: 'max' },
);
const query = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom('re', 'l', 'LÁ', 'lam', 'tea', 'cup', 'women', 'zzz')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((of) => of.join(' '));
const request = fc.record<SearchRequest>({
  query,
  limit: fc.constantFrom(1, 3, 20, 100),
  inactive: fc.boolean(),
});

async function shopOf(products: readonly Shop[], partitions = 1) {
  const engine = createMemoryEngine();
  const batch = new WriteBatchBuilder();
  const prefixOf = (store: string, partition: number) =>
    Uint8Array.of(Object.values(storeNames).indexOf(store as StoreName), partition);
  for (const one of products) {
    const partition = partitionOfItem(one.id, partitions);
    const put = (store: StoreName, key: string, value: unknown) => {
      const serdes = storeSerdes[store] as unknown as Record<'key' | 'value', { serialize(of: unknown): Uint8Array }>;
      const bytes = concatBytes(prefixOf(store, partition), serdes.key.serialize(key).slice());
      batch.put('state', bytes, serdes.value.serialize(value).slice());
    };
    const { rows } = rowsOf(one);
    if (rows.stats !== undefined) put(storeNames.productStats, one.id, rows.stats);
    if (rows.titles !== undefined) put(storeNames.productTitles, one.id, rows.titles);
    if (rows.product !== undefined) put(storeNames.products, one.id, rows.product);
    for (const key of titleKeys(one.id, titleListing(rows))) put(storeNames.titleWords, key, new Uint8Array());
  }
  await engine.write(batch);
  return async (asked: SearchRequest, bounds = searchBounds) => {
    await using snapshot = engine.snapshot();
    return await titleSearch(snapshot, asked, {
      partitions,
      partitionsHere: Array.from({ length: partitions }, (_, at) => at),
      prefixOf,
      bounds,
    });
  };
}

function rowsOf({ id, catalogue, events, active, purchases, views }: Shop) {
  const titles = events.map((name, at): TitleCount => ({
    ...{ title: `${name}${' '.repeat(at)}`, events: 5 - at, firstMs: 0, firstEventId: 'e' },
  }));
  const product: Product | undefined =
    catalogue === undefined
      ? undefined
      : {
          ...{
            id,
            title: catalogue,
            category: 'c',
            price: 5,
            listPrice: null,
            currency: null,
            stars: null,
            reviews: 0,
          },
          ...{ bestSeller: false, imageUrl: null, url: null, active, updatedAt: 1 },
        };
  const stats = purchases + views === 0 ? undefined : { ...newProductStats(), purchases, views };
  return { rows: { stats, titles: titles.length === 0 ? undefined : titles, product } };
}

const plain = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}|'/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

function scan(products: readonly Shop[], { query: asked, inactive }: SearchRequest): string[] {
  const wanted = plain(asked);
  const last = wanted.pop()!;
  const indexed = (word: string): boolean => word.length > 1 || /\d/.test(word);
  return products
    .filter(({ catalogue, events, active }) => {
      if (!active && catalogue !== undefined && !inactive) return false;
      const found = new Set(plain(catalogue ?? events[0] ?? '').filter(indexed));
      return (
        wanted.filter(indexed).every((word) => found.has(word)) && [...found].some((word) => word.startsWith(last))
      );
    })
    .toSorted(
      (a, b) => b.purchases - a.purchases || b.views - a.views || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)),
    )
    .map(({ id }) => id);
}

test('a search finds what a scan of all titles finds, most popular first', async () => {
  await fc.assert(
    fc.asyncProperty(shop, request, fc.constantFrom(1, 3), async (products, asked, partitions) => {
      const search = await shopOf(products, partitions);
      const { products: found, truncated } = await search(asked);
      expect(truncated).toBe(false);
      expect(found.map(({ id }) => id)).toEqual(scan(products, asked).slice(0, asked.limit));
    }),
    { numRuns: 150 },
  );
});

test('a search that stops at a bound says so, and what it has is found by the scan', async () => {
  const bounds = fc.record<SearchBounds>({
    keysMax: fc.constantFrom(1, 40, 40_000),
    candidatesMax: fc.constantFrom(1, 5, 4000),
    wordsMax: fc.constantFrom(1, 2, 128),
    besideWordsMax: fc.constantFrom(1, 2, 24),
  });
  await fc.assert(
    fc.asyncProperty(shop, request, bounds, async (products, asked, of) => {
      const search = await shopOf(products);
      const { products: found, truncated } = await search(asked, of);
      const expected = scan(products, asked);
      const ids = found.map(({ id }) => id);
      if (truncated) expect(expected.filter((id) => ids.includes(id))).toEqual(ids);
      else expect(ids).toEqual(expected.slice(0, asked.limit));
    }),
    { numRuns: 150 },
  );
});

test('lists of many pages are merged without reading all of them', async () => {
  const products = Array.from({ length: 3000 }, (_, at): Shop => {
    const parts = ['thing', at % 2 === 0 ? 'even' : 'odd', at % 1000 === 7 ? 'rare' : 'usual', `no${at % 300}`];
    return {
      id: `p${at}`,
      catalogue: parts.join(' '),
      events: [],
      active: true,
      purchases: Math.floor(1e6 / (1 + at) ** 2),
      views: at,
    };
  });
  const search = await shopOf(products);
  const bounds = { ...searchBounds, keysMax: 2000 };
  for (const query of ['thing', 'even thing', 'rare odd thing', 'thing usual od', 'odd no7', 'thing rare']) {
    const asked = { query, limit: 20, inactive: false };
    const { products: found, truncated } = await search(asked, bounds);
    expect([query, truncated]).toEqual([query, false]);
    expect(found.map(({ id }) => id)).toEqual(scan(products, asked).slice(0, 20));
  }
  // Three hundred words begin so, too many to be merged; the titles of what is odd tell.
  const asked = { query: 'odd no', limit: 100, inactive: false };
  const { products: found, truncated } = await search(asked, bounds);
  expect(truncated).toBe(false);
  expect(found.map(({ id }) => id)).toEqual(scan(products, asked).slice(0, 100));
  expect((await search({ ...asked, query: 'no' }, bounds)).truncated).toBe(true);
});
