import type { Interaction, InteractionType, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { exactSum, quantityOf, revenueOf } from './amount.ts';
import { addToTrend, interestOf, noTrend, type ProductTrend } from './product-trend.ts';

/**
 * A row of the store `product-stats`: events of each type, sums, and when the product was seen.
 *
 *     bytes: | service u8 | views | carts | purchases | returns | favorites | removes | ratings |
 *            | quantity zigzag | revenue zigzag | firstSeenMs | lastSeenMs | refMs |              varints
 *            | fast f64 | slow f64 |
 */
export interface ProductStats {
  views: number;
  carts: number;
  purchases: number;
  returns: number;
  favorites: number;
  removes: number;
  ratings: number;
  /** Bought less returned. */
  quantity: number;
  /** In 1/10,000 of the currency, bought less returned. */
  revenue: number;
  firstSeenMs: number;
  lastSeenMs: number;
  /** Any event of the product named it a service. */
  service: boolean;
  trend: ProductTrend;
}

export function newProductStats(): ProductStats {
  return {
    views: 0,
    carts: 0,
    purchases: 0,
    returns: 0,
    favorites: 0,
    removes: 0,
    ratings: 0,
    quantity: 0,
    revenue: 0,
    firstSeenMs: Number.MAX_SAFE_INTEGER,
    lastSeenMs: 0,
    service: false,
    trend: noTrend,
  };
}

export function addToStats(stats: ProductStats, event: Interaction): void {
  const quantity = exactSum(stats.quantity, quantityOf(event), 'Quantity of a product');
  const revenue = exactSum(stats.revenue, revenueOf(event), 'Revenue of a product');
  stats.quantity = quantity;
  stats.revenue = revenue;
  stats[counterOf[event.type]] += 1;
  if (event.timestamp < stats.firstSeenMs) stats.firstSeenMs = event.timestamp;
  if (event.timestamp > stats.lastSeenMs) stats.lastSeenMs = event.timestamp;
  if (event.service) stats.service = true;
  stats.trend = addToTrend(stats.trend, interestOf(event), event.timestamp);
}

const counterOf = {
  view: 'views',
  cart: 'carts',
  purchase: 'purchases',
  return: 'returns',
  favorite: 'favorites',
  remove: 'removes',
  rating: 'ratings',
} as const satisfies Record<InteractionType, keyof ProductStats>;

export const productStatsSerde: Serde<ProductStats> = {
  name: 'product-stats',
  serialize(stats) {
    return writer
      .begin()
      .byte(stats.service ? 1 : 0)
      .varint(stats.views)
      .varint(stats.carts)
      .varint(stats.purchases)
      .varint(stats.returns)
      .varint(stats.favorites)
      .varint(stats.removes)
      .varint(stats.ratings)
      .zigzag(stats.quantity)
      .zigzag(stats.revenue)
      .varint(stats.firstSeenMs)
      .varint(stats.lastSeenMs)
      .varint(stats.trend.refMs)
      .double(stats.trend.fast)
      .double(stats.trend.slow)
      .finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('product-stats', bytes);
    const service = reader.byte() === 1;
    const stats: ProductStats = {
      views: reader.varint(),
      carts: reader.varint(),
      purchases: reader.varint(),
      returns: reader.varint(),
      favorites: reader.varint(),
      removes: reader.varint(),
      ratings: reader.varint(),
      quantity: reader.zigzag(),
      revenue: reader.zigzag(),
      firstSeenMs: reader.varint(),
      lastSeenMs: reader.varint(),
      service,
      trend: { refMs: reader.varint(), fast: reader.double(), slow: reader.double() },
    };
    reader.end();
    return stats;
  },
  sizeOf: () => 200,
};

const writer = new ByteWriter();
