/** Of models/recompute, the tables that the Java program keeps. */
export const coreTables = [
  ...['product-stats', 'product-hours', 'user-profiles', 'user-products', 'session-windows'],
  ...['marginals', 'pair-totals', 'pairs'],
] as const;

/** And those of the part of the shop that @kafkats/flow can express. */
export const partTables = ['product-stats'] as const;
