const counters = {
  view: 'views',
  cart: 'carts',
  purchase: 'purchases',
  return: 'returns',
  favorite: 'favorites',
  remove: 'removes',
  rating: 'ratings',
};
const interest = { view: 1, cart: 3, purchase: 5 };
const dayMs = 24 * 3_600_000;

/** A row of `product-stats` (docs/architecture/shop.md, "Product statistics"), stored as numbers of eight bytes. */
export const productStats = {
  none: () => ({
    ...Object.fromEntries(Object.values(counters).map((name) => [name, 0])),
    ...{ quantity: 0, revenue: 0, firstSeenMs: Number.MAX_SAFE_INTEGER, lastSeenMs: 0, service: false },
    trend: { refMs: 0, fast: 0, slow: 0 },
  }),
  add: (_product, event, stats) => {
    const { type, quantity, price, timestamp, service } = event;
    const pieces = type === 'purchase' ? quantity : type === 'return' ? -quantity : 0;
    stats[counters[type]] += 1;
    stats.quantity += pieces;
    stats.revenue += pieces * price;
    stats.firstSeenMs = Math.min(stats.firstSeenMs, timestamp);
    stats.lastSeenMs = Math.max(stats.lastSeenMs, timestamp);
    stats.service ||= service;
    stats.trend = withInterest(stats.trend, interest[type] ?? 0, timestamp);
    return stats;
  },
  codec: {
    encode: (stats) => {
      const { quantity, revenue, firstSeenMs, lastSeenMs, service, trend } = stats;
      const counts = Object.values(counters).map((name) => stats[name]);
      const numbers = [...counts, quantity, revenue, firstSeenMs, lastSeenMs, service ? 1 : 0];
      const all = [...numbers, trend.refMs, trend.fast, trend.slow];
      const bytes = Buffer.allocUnsafe(8 * all.length);
      for (const [at, number] of all.entries()) bytes.writeDoubleLE(number, 8 * at);
      return bytes;
    },
    decode: (bytes) => {
      let at = 0;
      const next = () => bytes.readDoubleLE(8 * at++);
      const counts = Object.fromEntries(Object.values(counters).map((name) => [name, next()]));
      const sums = {
        quantity: next(),
        revenue: next(),
        firstSeenMs: next(),
        lastSeenMs: next(),
        service: next() === 1,
      };
      return { ...counts, ...sums, trend: { refMs: next(), fast: next(), slow: next() } };
    },
  },
};

function withInterest(trend, weight, timestampMs) {
  if (weight === 0) return trend;
  const { refMs, fast, slow } = trend;
  const toMs = Math.max(refMs, timestampMs);
  const sum = (before, halfLifeMs) =>
    decayed(before, refMs, toMs, halfLifeMs) + decayed(weight, timestampMs, toMs, halfLifeMs);
  return { refMs: toMs, fast: sum(fast, dayMs), slow: sum(slow, 14 * dayMs) };
}

function decayed(sum, fromMs, toMs, halfLifeMs) {
  return fromMs === toMs ? sum : sum * 2 ** ((fromMs - toMs) / halfLifeMs);
}
