import { compareBestSellers, compareList } from './compare-lists.ts';
import { comparePairs } from './compare-pairs.ts';
import { differentRecent } from './compare-recent.ts';
import {
  type Comparison,
  type Difference,
  isEqual,
  shown,
  skippedTable,
  Tally,
  type TableComparison,
} from './comparison.ts';
import { marginalKey } from './marginals.ts';
import { denseRegisters, registerCount, type SparseRegisters } from './product-users.ts';
import { hourKey } from './products.ts';
import type { Recomputation } from './recompute.ts';
import type * as rows from './rows.ts';
import { sameInteger } from './same.ts';

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
      differ: differentFields,
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
    await compareTable('user-profiles', expected.userProfiles, actual.userProfiles(), {
      keyOf: (row) => row.userId,
      differ: (wanted, found) => differentFields(wanted, found) ?? differentRecent(wanted.recent, found.recent),
    }),
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
  for (const kind of ['similar', 'bought-together'] as const) {
    if (actual.list === undefined) tables.push(skippedTable(`${kind} lists`, 'the reader gives no lists'));
    else {
      const tally = new Tally(`${kind} lists`, expected.pairs.items.length);
      for (const item of expected.pairs.items) {
        tally.both(item, compareList(expected.list(kind, item), await actual.list(kind, item, limit), limit));
      }
      tables.push(tally.result());
    }
  }
  if (actual.bestSellers === undefined) tables.push(skippedTable('best sellers', 'the reader gives none'));
  else {
    const tally = new Tally('best sellers', 1);
    const found = await actual.bestSellers(limit);
    tally.both(`first ${limit}`, compareBestSellers(expected.bestSellers().slice(0, limit), found));
    tables.push(tally.result());
  }
  return { equal: tables.every(isEqual), tables };
}

interface TableRules<Expected, Row> {
  keyOf(row: Row): string;
  /** Both sides, as they are shown, where the rows of one key are not the same. */
  differ(expected: Expected, actual: Row): Omit<Difference, 'key'> | null;
  /** A row that says nothing may be there or not. */
  isVoid?(row: Row): boolean;
}

async function compareTable<Expected, Row>(
  name: string,
  expected: ReadonlyMap<string, Expected>,
  actual: rows.Rows<Row>,
  rules: TableRules<Expected, Row>,
): Promise<TableComparison> {
  const tally = new Tally(name, expected.size);
  const seen = new Set<string>();
  for await (const row of actual) {
    const key = rules.keyOf(row);
    const wanted = expected.get(key);
    if (seen.has(key)) tally.extra(key, row, 'one row with this key');
    else if (wanted !== undefined) tally.both(key, rules.differ(wanted, row));
    else if (rules.isVoid?.(row) !== true) tally.extra(key, row);
    seen.add(key);
  }
  for (const [key, row] of expected) if (!seen.has(key)) tally.missing(key, row);
  return tally.result();
}

/** Every plain field of the expected row: numbers as integers, strings and booleans as they are. */
function differentFields<Row extends object>(expected: Row, actual: Row): Omit<Difference, 'key'> | null {
  const wanted: Record<string, unknown> = {};
  const found: Record<string, unknown> = {};
  for (const field of Object.keys(expected) as (keyof Row & string)[]) {
    const [left, right]: [unknown, unknown] = [expected[field], actual[field]];
    if (typeof left === 'object') continue;
    const number = typeof left === 'number' || typeof left === 'bigint';
    if (number ? sameInteger(left, right) : left === right) continue;
    wanted[field] = left;
    found[field] = right ?? null;
  }
  return Object.keys(wanted).length === 0 ? null : { expected: shown(wanted), actual: shown(found) };
}

function differentRegisters(
  expected: SparseRegisters,
  { registers: found }: rows.ProductUsersRow,
): Omit<Difference, 'key'> | null {
  const wanted = denseRegisters(expected);
  if (found.length !== registerCount) {
    return { expected: `${registerCount} registers`, actual: `${found.length} registers` };
  }
  const different = [...wanted.keys()].filter((register) => wanted[register] !== found[register]);
  if (different.length === 0) return null;
  const ranks = (of: Uint8Array): string => shown(Object.fromEntries(different.map((at) => [at, of[at]])));
  return { expected: ranks(wanted), actual: ranks(found) };
}

function differentTitles(
  expected: rows.ProductTitlesRow,
  actual: rows.ProductTitlesRow,
): Omit<Difference, 'key'> | null {
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

function sameIntegers(expected: readonly rows.Integer[], actual: readonly rows.Integer[]): boolean {
  return expected.length === actual.length && expected.every((value, at) => sameInteger(value, actual[at]));
}
