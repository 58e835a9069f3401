import { storeNames } from '../../processors/index.ts';

/** What the HTTP thread keeps a copy of, so that look-ups never wait for the thread that owns the database. */
export const publishedStores: readonly string[] = [
  storeNames.productStats,
  storeNames.productTitles,
  storeNames.userProfiles,
  storeNames.pairTotals,
  storeNames.pairItemNames,
  storeNames.marginals,
  storeNames.pairs,
];
