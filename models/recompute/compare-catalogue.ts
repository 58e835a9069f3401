import type { LastVersion } from './catalogue.ts';
import { categoryHourKey, type CategoryTops, memberKey, topsMax } from './categories.ts';
import { compareList } from './compare-lists.ts';
import { compareTable, differentFields, sameIntegers, type Sides, sides } from './compare-table.ts';
import type { TableComparison } from './comparison.ts';
import { saidBy } from './log-versions.ts';
import type { Recomputation } from './recompute.ts';
import type * as rows from './rows.ts';
import { sameInteger, sameScore } from './same.ts';
import { funnelKey, type SessionWindow, spelledProducts, windowKey } from './windows.ts';

/** The catalogue, session windows, and all that is kept by category. */
export async function compareCatalogue(
  expected: Recomputation,
  actual: rows.StateReader,
): Promise<readonly TableComparison[]> {
  const { catalogue, categories } = expected;
  return [
    await compareTable('catalogue-counters', new Map([['', catalogue.counts]]), [await actual.catalogueCounts()], {
      keyOf: () => '',
      differ: differentFields,
    }),
    await compareTable('products', catalogue.products, actual.products(), {
      keyOf: ({ id }) => id,
      differ: differentVersion,
    }),
    await compareTable('product-categories', catalogue.categories, actual.productCategories(), {
      keyOf: ({ productId }) => productId,
      differ: (wanted, { categories: found }) => {
        const same = (version: rows.CategoryVersion, at: number): boolean =>
          version.category === found[at]!.category && sameInteger(version.fromMs, found[at]!.fromMs);
        return sides(wanted.length === found.length && wanted.every(same), wanted, found);
      },
    }),
    await compareTable('category-hours', expected.categoryHours, actual.categoryHours(), {
      keyOf: ({ category, hour }) => categoryHourKey(category, hour),
      differ: differentFields,
      isVoid: ({ views, carts, purchases, returns, quantity, revenue }) =>
        [views, carts, purchases, returns, quantity, revenue].every((value) => Number(value) === 0),
    }),
    await compareTable('category-products', categories.products, actual.categoryProducts(), {
      keyOf: ({ category, productId }) => memberKey(category, productId),
      differ: (wanted, found) => differentFields(wanted, found) ?? differentTrend(wanted.trend, found.trend),
    }),
    await compareTable('category-tops', categories.tops, actual.categoryTops(), {
      keyOf: ({ category }) => category,
      differ: differentTops,
      isVoid: ({ products }) => Number(products) === 0,
    }),
    await compareTable('session-windows', expected.sessionWindows, actual.sessionWindows(), {
      keyOf: ({ sessionKey, startMs }) => windowKey(sessionKey, startMs),
      differ: differentWindow,
    }),
    await compareTable('category-funnels', expected.categoryFunnels, actual.categoryFunnels(), {
      keyOf: ({ category, day }) => funnelKey(category, day),
      differ: (wanted, found) => sides(sameIntegers(wanted.windows, found.windows), wanted, found),
      isVoid: ({ windows }) => windows.every((count) => Number(count) === 0),
    }),
  ];
}

/** The sums are equal within 1e-9, for they depend on the order of their terms. */
export function differentTrend(expected: rows.Trend, actual: rows.Trend): Sides | null {
  const same =
    sameInteger(expected.refMs, actual.refMs) &&
    sameScore(expected.fast, actual.fast) &&
    sameScore(expected.slow, actual.slow);
  return sides(same, expected, actual);
}

function differentVersion({ said, updatedAt }: LastVersion, actual: rows.ProductRow): Sides | null {
  const found = saidBy(actual);
  return sides(said === found && updatedAt === actual.updatedAt, { updatedAt, said }, actual);
}

function differentTops(expected: CategoryTops, actual: rows.CategoryTopsRow): Sides | null {
  const { category, products, active } = expected;
  const max = topsMax(category);
  return (
    differentFields({ products, active }, { products: actual.products, active: actual.active }) ??
    compareList(expected.byFast, actual.byFast, max) ??
    compareList(expected.bestSellers, actual.bestSellers, max)
  );
}

function differentWindow(
  { products: wanted, ...expected }: SessionWindow,
  { products, ...actual }: rows.SessionWindowRow,
): Sides | null {
  const found = spelledProducts(products);
  return differentFields(expected, actual) ?? sides(wanted === found, wanted, found);
}
