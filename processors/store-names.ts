/** The shop's stores, as docs/architecture/shop.md names them. */
export const storeNames = {
  eventsSeen: 'events-seen',
  cleanseCounters: 'cleanse-counters',
  productStats: 'product-stats',
  productHours: 'product-hours',
  productUsers: 'product-users',
  productTitles: 'product-titles',
  userProfiles: 'user-profiles',
  userProducts: 'user-products',
  sessions: 'sessions',
  pairTotals: 'pair-totals',
  pairItems: 'pair-items',
  pairItemNames: 'pair-item-names',
  marginals: 'marginals',
  pairs: 'pairs',
} as const;
