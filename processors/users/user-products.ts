import type { Interaction, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { decayed, interestOf } from '../products/product-trend.ts';

/**
 * A row of the store `user-products`: how much a user cared about each product that he viewed, carted or bought
 * (docs/architecture/shop.md, "User profiles"). An event weighs what it weighs in a trend, and half of it 30 days later.
 * Nothing is evicted: the catalogue says what a product's category is only when the row is read (category-affinity.ts).
 *
 *     bytes: { productId | refMs varint | weight f64 } × products, ascending by productId
 */
export type UserProducts = UserProduct[];

export interface UserProduct {
  readonly productId: string;
  /** The greatest timestamp of its events: what `weight` is as of. */
  refMs: number;
  weight: number;
}

/** Whether an event changes a user's row. */
export function countsForUser(event: Interaction): boolean {
  return !event.service && interestOf(event) > 0;
}

export function addUserProduct(products: UserProducts, event: Interaction): void {
  const { productId, timestamp } = event;
  const at = placeOf(products, productId);
  const known = products[at];
  if (known === undefined || known.productId !== productId) {
    products.splice(at, 0, { productId, refMs: timestamp, weight: interestOf(event) });
    return;
  }
  const toMs = Math.max(known.refMs, timestamp);
  known.weight = weightAt(known.weight, known.refMs, toMs) + weightAt(interestOf(event), timestamp, toMs);
  known.refMs = toMs;
}

export function weightAt(weight: number, fromMs: number, toMs: number): number {
  return decayed(weight, { fromMs, toMs, halfLifeMs: userHalfLifeMs });
}

/** Where the product stands, or would stand. Ids are ordered by code units. */
function placeOf(products: UserProducts, productId: string): number {
  let low = 0;
  let high = products.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (products[middle]!.productId < productId) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const userProductsSerde: Serde<UserProducts> = {
  name: 'user-products',
  serialize(products) {
    writer.begin();
    for (const { productId, refMs, weight } of products) writer.text(productId).varint(refMs).double(weight);
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('user-products', bytes);
    const products: UserProducts = [];
    while (!reader.atEnd) {
      products.push({ productId: reader.text(), refMs: reader.varint(), weight: reader.double() });
    }
    return products;
  },
  sizeOf: (products) => 64 + products.length * 100,
};

const userHalfLifeMs = 30 * 24 * 3_600_000;
const writer = new ByteWriter();
