import type { Interaction } from '../../schemas/index.ts';
import type { ByteReader } from '../binary/byte-reader.ts';
import type { ByteWriter } from '../binary/byte-writer.ts';
import { quantityOf, revenueOf } from '../products/amount.ts';

/**
 * Events of each kind, pieces and money (1/10,000 of the currency), bought less returned: of an hour, or of a session window.
 *
 *     bytes: | views | carts | purchases | returns | quantity zigzag | revenue zigzag |      varints
 */
export interface Counts {
  views: number;
  carts: number;
  purchases: number;
  returns: number;
  quantity: number;
  revenue: number;
}

export function noCounts(): Counts {
  return { views: 0, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 };
}

/** What one event counts. */
export function countsOf(event: Interaction): Counts {
  const { type } = event;
  return {
    views: type === 'view' ? 1 : 0,
    carts: type === 'cart' ? 1 : 0,
    purchases: type === 'purchase' ? 1 : 0,
    returns: type === 'return' ? 1 : 0,
    quantity: bounded(quantityOf(event)),
    revenue: bounded(revenueOf(event)),
  };
}

/**
 * Adds up over hours or products. Quantity and money stop at ±2^52 (450 billion of a currency): a sum over many products is
 * nothing that a single event can be refused for.
 */
export function addCounts(to: Counts, add: Readonly<Counts>, sign: 1 | -1 = 1): void {
  to.views += sign * add.views;
  to.carts += sign * add.carts;
  to.purchases += sign * add.purchases;
  to.returns += sign * add.returns;
  to.quantity = bounded(to.quantity + sign * add.quantity);
  to.revenue = bounded(to.revenue + sign * add.revenue);
}

export function sumOfCounts(a: Readonly<Counts>, b: Readonly<Counts>): Counts {
  const sum = noCounts();
  addCounts(sum, a);
  addCounts(sum, b);
  return sum;
}

export function isNothing({ views, carts, purchases, returns, quantity, revenue }: Readonly<Counts>): boolean {
  return views === 0 && carts === 0 && purchases === 0 && returns === 0 && quantity === 0 && revenue === 0;
}

export function writeCounts(writer: ByteWriter, counts: Readonly<Counts>): void {
  const { views, carts, purchases, returns, quantity, revenue } = counts;
  writer.varint(views).varint(carts).varint(purchases).varint(returns).zigzag(quantity).zigzag(revenue);
}

export function readCounts(reader: ByteReader): Counts {
  return {
    views: reader.varint(),
    carts: reader.varint(),
    purchases: reader.varint(),
    returns: reader.varint(),
    quantity: reader.zigzag(),
    revenue: reader.zigzag(),
  };
}

function bounded(sum: number): number {
  return Math.max(-sumMax, Math.min(sumMax, sum));
}

/** What zigzag can hold. */
const sumMax = 2 ** 52 - 1;
