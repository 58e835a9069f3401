import { compareCatalogue, differentTrend } from './compare-catalogue.ts';
import { compareList } from './compare-lists.ts';
import { comparePairs } from './compare-pairs.ts';
import { differentRecent } from './compare-recent.ts';
import { compareTable, differentFields, sameIntegers, type Sides } from './compare-table.ts';
import { compareTitleWords } from './compare-title-words.ts';
import { type Comparison, isEqual, shown, skippedTable, Tally, type TableComparison } from './comparison.ts';
import type { RankedList } from './lists.ts';
import { marginalKey } from './marginals.ts';
import { denseRegisters, registerCount, type SparseRegisters } from './product-users.ts';
import { hourKey } from './products.ts';
import type { Recomputation } from './recompute.ts';
import type * as rows from './rows.ts';
import { sameInteger, sameScore } from './same.ts';

export interface CompareOptions {
  /** How much of each list is compared. Default 20. */
  readonly listLength?: number;
}

/**
 * Holds the rows of a reader against the recomputation, every row of every table, both ways.
 *
 * Integers are equal bit for bit; `5` and `5n` are, `5` and `5.0000001` are not. Scores are equal within
 * 1e-9 · max(1, |x|), and lists in their order except among scores that are equal so.
 */
export async function compareState(
  expected: Recomputation,
  actual: rows.StateReader,
  options: CompareOptions = {},
): Promise<Comparison> {
  const limit = options.listLength ?? 20;
  const tables: TableComparison[] = [
    await compareTable('product-stats', expected.productStats, actual.productStats(), {
      keyOf: (row) => row.productId,
      differ: (wanted, found) => differentFields(wanted, found) ?? differentTrend(wanted.trend, found.trend),
    }),
    await compareTable('product-hours', expected.productHours, actual.productHours(), {
      keyOf: (row) => hourKey(row.productId, row.hour),
      differ: differentFields,
      isVoid: ({ views, carts, purchases, returns, quantity, revenue }) =>
        [views, carts, purchases, returns, quantity, revenue].every((value) => Number(value) === 0),
    }),
    await compareTable('product-users', expected.productUsers, actual.productUsers(), {
      keyOf: (row) => row.productId,
      differ: differentRegisters,
      isVoid: ({ registers }) => registers.length === registerCount && registers.every((rank) => rank === 0),
    }),
    await compareTable('product-titles', expected.productTitles, actual.productTitles(), {
      keyOf: (row) => row.productId,
      differ: differentTitles,
      isVoid: ({ title, titles }) => title === null && titles.length === 0,
    }),
    await compareTitleWords(expected.titles, actual.titleWords()),
    await compareTable('user-profiles', expected.userProfiles, actual.userProfiles(), {
      keyOf: (row) => row.userId,
      differ: (wanted, found) => differentFields(wanted, found) ?? differentRecent(wanted.recent, found.recent),
    }),
    await compareTable('user-products', userProductRows(expected), actual.userProducts(), {
      keyOf: userProductKey,
      differ: (wanted, found) => {
        const same = sameInteger(wanted.refMs, found.refMs) && sameScore(wanted.weight, found.weight);
        return same ? null : { expected: shown(wanted), actual: shown(found) };
      },
    }),
    ...(await compareCatalogue(expected, actual)),
    await compareTable('marginals', expected.marginals, actual.marginals(), {
      keyOf: (row) => marginalKey(row.relation, row.item),
      differ: differentFields,
      isVoid: ({ sessions }) => Number(sessions) === 0,
    }),
    await compareTable('pair-totals', expected.pairTotals, actual.pairTotals(), {
      keyOf: (row) => row.relation,
      differ: (wanted, found) =>
        sameIntegers([wanted.sessions, ...wanted.rep, ...wanted.repN], [found.sessions, ...found.rep, ...found.repN])
          ? null
          : { expected: shown(wanted), actual: shown(found) },
      isVoid: ({ sessions, rep, repN }) => [sessions, ...rep, ...repN].every((value) => Number(value) === 0),
    }),
    await comparePairs(expected.pairs, actual.pairRows()),
  ];
  const { list, bestSellers, trending, categoryAffinity } = actual;
  for (const kind of ['similar', 'bought-together'] as const) {
    tables.push(
      await compareLists(`${kind} lists`, expected.pairs.items, {
        expected: (item) => expected.list(kind, item),
        actual: list === undefined ? undefined : (item) => list.call(actual, kind, item, limit),
        limit,
      }),
    );
  }
  tables.push(
    await compareLists('best sellers', [''], {
      expected: () => expected.bestSellers(),
      actual: bestSellers === undefined ? undefined : () => bestSellers.call(actual, limit),
      limit,
    }),
    await compareLists('trending lists', ['', ...expected.categories.tops.keys()], {
      expected: (category) => expected.trending(category),
      actual: trending === undefined ? undefined : (category) => trending.call(actual, category, limit),
      limit,
    }),
    await compareLists('category affinities', usersWithAffinity(expected), {
      expected: (userId) => expected.categoryAffinity(userId),
      actual: categoryAffinity === undefined ? undefined : (userId) => categoryAffinity.call(actual, userId, 10),
      limit: 10,
    }),
  );
  return { equal: tables.every(isEqual), tables };
}

interface ListsOf {
  expected(key: string): RankedList;
  /** undefined: the reader has no such lists. */
  readonly actual: ((key: string) => Promise<readonly rows.ScoredItem[]>) | undefined;
  readonly limit: number;
}

async function compareLists(name: string, keys: readonly string[], of: ListsOf): Promise<TableComparison> {
  const { actual, limit } = of;
  if (actual === undefined) return skippedTable(name, 'the reader gives none');
  const tally = new Tally(name, keys.length);
  for (const key of keys) tally.both(key, compareList(of.expected(key), await actual(key), limit));
  return tally.result();
}

/** A share is computed when it is read, out of tables that are compared whole: a thousand users show that it is done right. */
function usersWithAffinity({ userProducts, categoryAffinity }: Recomputation): string[] {
  const users: string[] = [];
  for (const user of userProducts.keys()) {
    if (users.length === 1000) break;
    if (categoryAffinity(user).top(1).length > 0) users.push(user);
  }
  return users;
}

function userProductRows({ userProducts }: Recomputation): Map<string, rows.UserProductRow> {
  return new Map([...userProducts.values()].flatMap((of) => of.map((row) => [userProductKey(row), row] as const)));
}

function userProductKey({ userId, productId }: rows.UserProductRow): string {
  return `${userId}\n${productId}`;
}

function differentRegisters(expected: SparseRegisters, { registers: found }: rows.ProductUsersRow): Sides | null {
  const wanted = denseRegisters(expected);
  if (found.length !== registerCount) {
    return { expected: `${registerCount} registers`, actual: `${found.length} registers` };
  }
  const different = [...wanted.keys()].filter((register) => wanted[register] !== found[register]);
  if (different.length === 0) return null;
  const ranks = (of: Uint8Array): string => shown(Object.fromEntries(different.map((at) => [at, of[at]])));
  return { expected: ranks(wanted), actual: ranks(found) };
}

function differentTitles(expected: rows.ProductTitlesRow, actual: rows.ProductTitlesRow): Sides | null {
  const found = new Map(actual.titles.map((title) => [title.title, title]));
  const same =
    expected.title === actual.title &&
    expected.titles.length === actual.titles.length &&
    expected.titles.every(({ title, count, firstSeenMs }) => {
      const other = found.get(title);
      return sameInteger(count, other?.count) && sameInteger(firstSeenMs, other?.firstSeenMs);
    });
  return same ? null : { expected: shown(expected), actual: shown(actual) };
}
