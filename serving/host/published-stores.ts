import { storeNames } from '../../processors/index.ts';

/** What look-ups read, and the HTTP thread keeps up to date with every commit as far as it holds it. */
export const publishedStores: readonly string[] = [
  storeNames.productStats,
  storeNames.products,
  storeNames.productTitles,
  storeNames.productCategories,
  storeNames.categoryTops,
  storeNames.userProfiles,
  storeNames.pairTotals,
  storeNames.pairItemNames,
  storeNames.marginals,
  storeNames.pairs,
];

/** Those of them of which the HTTP thread holds only what was asked for. */
export const fetchedStores: readonly string[] = [
  storeNames.productTitles,
  storeNames.productCategories,
  storeNames.categoryTops,
  storeNames.userProfiles,
  storeNames.pairs,
];
