import { storeNames } from '../../processors/index.ts';

/**
 * What look-ups read, and the HTTP thread keeps up to date with every commit as far as it holds it. Of a commit, rows come in
 * this order: items are named before anything is told of their numbers.
 */
export const publishedStores: readonly string[] = [
  storeNames.pairItemNames,
  storeNames.productStats,
  storeNames.products,
  storeNames.productTitles,
  storeNames.productCategories,
  storeNames.categoryTops,
  storeNames.userProfiles,
  storeNames.pairTotals,
  storeNames.marginals,
  storeNames.pairs,
];

/**
 * In answers only, behind the published stores: rows of `products` that were asked for their titles. They go by another name
 * than those that were asked for their facts, for two questions on their way may be answered as of two commits.
 */
export const titledProducts = 'titled-products';

/** Those of them whose rows all look-ups need; of the others the HTTP thread holds what was asked for. */
export const wholeStores: readonly string[] = [storeNames.pairTotals];
