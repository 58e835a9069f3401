import { beforeAll, describe, expect, test } from 'vitest';
import { compareState } from './compare.ts';
import { formatComparison } from './format-comparison.ts';
import { bought, event, version, viewed } from './history.testing.ts';
import { readerOf } from './reader-of.ts';
import { type Recomputation, recomputeLog } from './recompute.ts';
import type { PairRow, Rows, StateReader, TitleWordRow } from './rows.ts';

let state: Recomputation;

beforeAll(async () => {
  const versions = [
    version({ id: 'A', category: 'Home', title: 'Lamp' }),
    version({ id: 'B', category: 'Home' }),
    version({ id: 'E', title: 'Tea for Two' }),
    version({ id: 'B', category: 'Toys', updatedAt: 3_600_000 }),
    version({ id: 'D', category: 'Toys', active: false }),
  ];
  const events = [
    ...['1', '2', '3'].flatMap((session) => bought(session, 'ABC')),
    ...viewed('4', 'AD'),
    event({ userId: 'u', productId: 'A', price: 12, title: 'a', timestamp: 1 }),
    event({ userId: 'u', productId: 'B', price: 12, title: 'b', timestamp: 2 }),
    event({ userId: 'u', productId: 'B', type: 'return', timestamp: 90_000_000 }),
  ];
  state = await recomputeLog(events, { versions });
});

/** The state itself, with some of its methods replaced. */
function changed(change: Partial<StateReader>): StateReader {
  return { ...readerOf(state), ...change };
}

function edited<Row>(rows: Rows<Row>, edit: (row: Row, at: number) => readonly Row[]): Row[] {
  return [...(rows as Iterable<Row>)].flatMap(edit);
}

const unequal = async (reader: StateReader) => {
  const comparison = await compareState(state, reader);
  const tables = comparison.tables.filter(({ differing, missing, extra }) => differing + missing + extra > 0);
  expect(comparison.equal).toBe(tables.length === 0);
  return tables.map(({ name, differing, missing, extra }) => ({ name, differing, missing, extra }));
};

test('a state equals itself, and every table has rows', async () => {
  const comparison = await compareState(state, readerOf(state));
  expect(comparison.equal).toBe(true);
  for (const { expected, actual, same } of comparison.tables) {
    expect(expected).toBeGreaterThan(0);
    expect([actual, same]).toEqual([expected, expected]);
  }
  expect(formatComparison(comparison)).toMatch(/Everything compared is equal/);
});

test('bigint and number are the same integer, and the order of the rows is nobody’s business', async () => {
  const original = readerOf(state);
  const reader = changed({
    productStats: () =>
      edited(original.productStats(), (row) => [
        { ...row, purchases: BigInt(row.purchases), revenue: Number(row.revenue) },
      ]).toReversed(),
    pairRows: () => edited(original.pairRows(), (row) => [{ ...row, weight: BigInt(row.weight) }]).toReversed(),
  });
  expect(await unequal(reader)).toEqual([]);
});

test('rows that say nothing may be there', async () => {
  const zeros = { views: 0, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 };
  const original = readerOf(state);
  const reader = changed({
    productHours: () => [...(original.productHours() as Iterable<never>), { productId: 'A', hour: 99, ...zeros }],
    productUsers: () => [
      ...(original.productUsers() as Iterable<never>),
      { productId: 'Z', registers: new Uint8Array(4096) },
    ],
    productTitles: () => [
      ...(original.productTitles() as Iterable<never>),
      { productId: 'Z', title: null, titles: [] },
    ],
  });
  expect(await unequal(reader)).toEqual([]);
});

describe('one change is found, in its table and no other', () => {
  const mutations: readonly [string, string, (original: Required<StateReader>) => Partial<StateReader>][] = [
    [
      'a count of a product',
      'product-stats',
      (original) => ({
        productStats: () =>
          edited(original.productStats(), (row, at) => [
            at === 0 ? { ...row, purchases: Number(row.purchases) + 1 } : row,
          ]),
      }),
    ],
    [
      'a service flag',
      'product-stats',
      (original) => ({
        productStats: () => edited(original.productStats(), (row, at) => [at === 0 ? { ...row, service: true } : row]),
      }),
    ],
    [
      'a fraction of a cent',
      'product-hours',
      (original) => ({
        productHours: () =>
          edited(original.productHours(), (row, at) => [
            at === 0 ? { ...row, revenue: Number(row.revenue) + 1e-9 } : row,
          ]),
      }),
    ],
    [
      'a register',
      'product-users',
      (original) => ({
        productUsers: () =>
          edited(original.productUsers(), ({ productId, registers }, at) => [
            { productId, registers: at === 0 ? registers.with(17, 1) : registers },
          ]),
      }),
    ],
    [
      'a chosen title',
      'product-titles',
      (original) => ({
        productTitles: () => edited(original.productTitles(), (row, at) => [at === 0 ? { ...row, title: 'b' } : row]),
      }),
    ],
    [
      'a title count',
      'product-titles',
      (original) => ({
        productTitles: () =>
          edited(original.productTitles(), (row, at) => [
            at === 0 ? { ...row, titles: row.titles.map((title) => ({ ...title, count: 2 })) } : row,
          ]),
      }),
    ],
    [
      'how popular a product is under a word',
      'title-words',
      (original) => ({
        titleWords: () => edited(original.titleWords(), (row, at) => [at === 0 ? { ...row, level: 30 } : row]),
      }),
    ],
    [
      'the order of recent products',
      'user-profiles',
      (original) => ({
        userProfiles: () => edited(original.userProfiles(), (row) => [{ ...row, recent: row.recent.toReversed() }]),
      }),
    ],
    [
      'a marginal',
      'marginals',
      (original) => ({
        marginals: () => edited(original.marginals(), (row, at) => [at === 0 ? { ...row, sessions: 99 } : row]),
      }),
    ],
    [
      'a reminder count',
      'pair-totals',
      (original) => ({
        pairTotals: () => edited(original.pairTotals(), (row) => [{ ...row, rep: row.rep.with(9, 1) }]).slice(0, 2),
      }),
    ],
    [
      'a weight',
      'pairs',
      (original) => ({
        pairRows: () =>
          edited(original.pairRows(), (row, at) => [at === 3 ? { ...row, weight: Number(row.weight) - 1 } : row]),
      }),
    ],
    [
      'a score',
      'similar lists',
      (original) => ({
        list: async (kind, item, limit) => {
          const answer = await original.list(kind, item, limit);
          return kind === 'similar' && item === 'A'
            ? answer.map((one) => ({ ...one, score: one.score + 3e-9 }))
            : answer;
        },
      }),
    ],
    [
      'the order of a list',
      'similar lists',
      (original) => ({
        list: async (kind, item, limit) => {
          const answer = await original.list(kind, item, limit);
          return kind === 'similar' && item === 'C' ? answer.toReversed() : answer;
        },
      }),
    ],
    [
      'a best seller',
      'best sellers',
      (original) => ({ bestSellers: async (limit) => (await original.bestSellers(limit)).toReversed() }),
    ],
    [
      'a decayed sum of a product',
      'product-stats',
      (original) => ({
        productStats: () =>
          edited(original.productStats(), (row, at) => [
            at === 0 ? { ...row, trend: { ...row.trend, slow: row.trend.slow * (1 + 2e-9) } } : row,
          ]),
      }),
    ],
    [
      'the weight of a user’s product',
      'user-products',
      (original) => ({
        userProducts: () =>
          edited(original.userProducts(), (row, at) => [at === 0 ? { ...row, weight: row.weight + 1e-7 } : row]),
      }),
    ],
    [
      'a version that was counted as late',
      'catalogue-counters',
      (original) => ({ catalogueCounts: async () => ({ ...(await original.catalogueCounts()), late: 1 }) }),
    ],
    [
      'a field of the catalogue',
      'products',
      (original) => ({
        products: () => edited(original.products(), (row) => [row.id === 'A' ? { ...row, title: 'lamp' } : row]),
      }),
    ],
    [
      'the time of a category',
      'product-categories',
      (original) => ({
        productCategories: () =>
          edited(original.productCategories(), (row) => [
            { ...row, categories: row.categories.map((one) => ({ ...one, fromMs: Number(one.fromMs) && 3_600_001 })) },
          ]),
      }),
    ],
    [
      'an hour of a category',
      'category-hours',
      (original) => ({
        categoryHours: () => edited(original.categoryHours(), (row, at) => [at === 0 ? { ...row, views: 9 } : row]),
      }),
    ],
    [
      'a product that is inactive in its category',
      'category-products',
      (original) => ({
        categoryProducts: () =>
          edited(original.categoryProducts(), (row) => [row.productId === 'D' ? { ...row, active: true } : row]),
      }),
    ],
    [
      'the order of what is risen',
      'category-tops',
      (original) => ({
        categoryTops: () => edited(original.categoryTops(), (row) => [{ ...row, byFast: row.byFast.toReversed() }]),
      }),
    ],
    [
      'the number of active products',
      'category-tops',
      (original) => ({
        categoryTops: () =>
          edited(original.categoryTops(), (row, at) => [at === 0 ? { ...row, active: Number(row.active) + 1 } : row]),
      }),
    ],
    [
      'what was done in a window',
      'session-windows',
      (original) => ({
        sessionWindows: () =>
          edited(original.sessionWindows(), (row, at) => [
            at === 0 ? { ...row, products: row.products.map((product) => ({ ...product, bits: 7 })) } : row,
          ]),
      }),
    ],
    [
      'the user of a window',
      'session-windows',
      (original) => ({
        sessionWindows: () =>
          edited(original.sessionWindows(), (row) => [row.userId === null ? row : { ...row, userId: null }]),
      }),
    ],
    [
      'a day of a funnel',
      'category-funnels',
      (original) => ({
        categoryFunnels: () =>
          edited(original.categoryFunnels(), (row, at) => [
            at === 0 ? { ...row, windows: row.windows.toReversed() } : row,
          ]),
      }),
    ],
    [
      'a trend as served',
      'trending lists',
      (original) => ({
        trending: async (category, limit) => {
          const answer = await original.trending(category, limit);
          return category === 'Home' ? answer.map((one) => ({ ...one, score: one.score + 3e-9 })) : answer;
        },
      }),
    ],
    [
      'a share of interest',
      'category affinities',
      (original) => ({
        categoryAffinity: async (user, limit) =>
          (await original.categoryAffinity(user, limit)).map((one) => ({ ...one, score: one.score + 3e-9 })),
      }),
    ],
  ];
  for (const [name, table, mutation] of mutations) {
    test(name, async () => {
      const found = await unequal(changed(mutation(readerOf(state))));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ name: table, missing: 0, extra: 0 });
      expect(found[0]!.differing).toBeGreaterThan(0);
    });
  }
});

test('a missing row, an extra neighbour and a row that comes twice are told apart', async () => {
  const original = readerOf(state);
  const extra: PairRow = { relation: 'bought', item: 'A', neighbour: 'nobody', weight: 1, count: 1 };
  const reader = changed({
    userProfiles: () => [],
    marginals: () => edited(original.marginals(), (row, at) => (at === 0 ? [row, row] : [row])),
    pairRows: () => [...edited(original.pairRows(), (row, at) => (at === 2 ? [] : [row])), extra],
  });
  expect(await unequal(reader)).toEqual([
    { name: 'user-profiles', differing: 0, missing: 1, extra: 0 },
    { name: 'marginals', differing: 0, missing: 0, extra: 1 },
    { name: 'pairs', differing: 0, missing: 1, extra: 1 },
  ]);
});

test('a word that is missing, one that is no word of the title and one that comes twice are told apart', async () => {
  const original = readerOf(state);
  const words = [...(original.titleWords() as Iterable<TitleWordRow>)];
  const [first] = words.filter(({ productId }) => productId === 'E');
  const wrong = (edit: (row: TitleWordRow) => readonly TitleWordRow[]) =>
    unequal(changed({ titleWords: () => edited(words, (row) => (row === first ? edit(row) : [row])) }));
  const name = 'title-words';
  expect(await wrong(() => [])).toEqual([{ name, differing: 0, missing: 1, extra: 0 }]);
  expect(await wrong((row) => [row, { ...row, word: 'two teas' }])).toEqual([
    { name, differing: 0, missing: 0, extra: 1 },
  ]);
  expect(await wrong((row) => [row, row])).toEqual([{ name, differing: 0, missing: 0, extra: 1 }]);
});

test('equal scores may change places, unequal ones and repeated items may not', async () => {
  const original = readerOf(state);
  const together = (edit: (ids: readonly string[]) => readonly string[]) =>
    changed({
      list: async (kind, item, limit) => {
        const answer = await original.list(kind, item, limit);
        if (kind === 'similar' || item !== 'C') return answer;
        return edit(answer.map(({ id }) => id)).map((id, at) => ({ id, score: answer[at]!.score }));
      },
    });
  // C with A and with B: three sessions each; but A and B stand in one more, with the user's own session.
  expect(
    state
      .list('bought-together', 'C')
      .top(20)
      .map(({ id }) => id),
  ).toEqual(['A', 'B']);
  expect(await unequal(together((ids) => ids.toReversed()))).toEqual([]);
  expect(await unequal(together(() => ['A', 'A']))).toHaveLength(1);
  expect(await unequal(together(() => ['A']))).toHaveLength(1);
});

test('the printed comparison names the row, both values and what was not compared', async () => {
  const { list: _, bestSellers: __, ...stores } = readerOf(state);
  const reader: StateReader = {
    ...stores,
    marginals: () => edited(stores.marginals(), (row) => [row.item === 'D' ? { ...row, sessions: 7 } : row]),
  };
  const comparison = await compareState(state, reader);
  const text = formatComparison(comparison);
  expect(comparison.equal).toBe(false);
  expect(text).toMatch(
    /marginals: 1 of 1 differences\n {2}viewed D\n {4}expected {2}\{"sessions":1\}\n {4}actual {4}\{"sessions":7\}/,
  );
  expect(text).toMatch(/similar lists .*not compared: the reader gives none/);
  expect(text).toMatch(/Different: marginals\.$/);
});

test('ten differences are shown, all are counted', async () => {
  const big = await recomputeLog(
    bought(
      's',
      Array.from({ length: 40 }, (_, at) => `p${at}`),
    ),
  );
  const none = { ...readerOf(big), productStats: () => [] };
  const [table] = (await compareState(big, none)).tables;
  expect([table!.missing, table!.examples.length]).toEqual([40, 10]);
});
