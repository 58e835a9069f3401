import type { Interaction, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { exactSum, quantityOf, revenueOf } from './amount.ts';

/**
 * A row of the store `product-days`: a product's days of one UTC month.
 *
 *     key:    <productId>/<yyyy-mm>    the month follows the last slash, whatever the product's id
 *     bytes:  { day u8 | views | carts | purchases | returns | quantity zigzag | revenue zigzag } × days seen, ascending
 */
export interface ProductDay {
  /** Of the month, 1..31. */
  readonly day: number;
  views: number;
  carts: number;
  purchases: number;
  returns: number;
  quantity: number;
  revenue: number;
}

/** Days that had an event of any type but favorite, remove and rating; ascending. */
export type ProductMonth = ProductDay[];

export function productDayKey(productId: string, month: string): string {
  return `${productId}/${month}`;
}

export function parseProductDayKey(key: string): { readonly productId: string; readonly month: string } {
  const slash = key.lastIndexOf('/');
  return { productId: key.slice(0, slash), month: key.slice(slash + 1) };
}

/** UTC month and day of a time; the last answer is kept, for the next event is nearly always of the same day. */
export function utcDay(timestampMs: number): UtcDay {
  const dayNumber = Math.floor(timestampMs / dayMs);
  if (dayNumber === lastDay.dayNumber) return lastDay;
  const date = new Date(dayNumber * dayMs);
  // The greatest timestamps lie beyond what a Date can hold (the year 275760); they share its last month.
  if (Number.isNaN(date.getTime())) return { dayNumber, month: '275760-09', day: 13 };
  const month = `${date.getUTCFullYear()}-${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
  lastDay = { dayNumber, month, day: date.getUTCDate() };
  return lastDay;
}

export interface UtcDay {
  /** Since 1970-01-01. */
  readonly dayNumber: number;
  /** `2010-12` */
  readonly month: string;
  readonly day: number;
}

export function countsByDay({ type }: Interaction): boolean {
  return type === 'view' || type === 'cart' || type === 'purchase' || type === 'return';
}

export function addToMonth(month: ProductMonth, day: number, event: Interaction): void {
  const row = dayOf(month, day);
  const quantity = exactSum(row.quantity, quantityOf(event), 'Quantity of a day');
  const revenue = exactSum(row.revenue, revenueOf(event), 'Revenue of a day');
  row.quantity = quantity;
  row.revenue = revenue;
  if (event.type === 'view') row.views += 1;
  else if (event.type === 'cart') row.carts += 1;
  else if (event.type === 'purchase') row.purchases += 1;
  else if (event.type === 'return') row.returns += 1;
}

/** Found from the end: events come nearly in order. */
function dayOf(month: ProductMonth, day: number): ProductDay {
  let at = month.length;
  while (at > 0 && month[at - 1]!.day > day) at -= 1;
  if (at > 0 && month[at - 1]!.day === day) return month[at - 1]!;
  const row = { day, views: 0, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 };
  month.splice(at, 0, row);
  return row;
}

export const productMonthSerde: Serde<ProductMonth> = {
  name: 'product-month',
  serialize(month) {
    writer.begin();
    for (const { day, views, carts, purchases, returns, quantity, revenue } of month) {
      writer.byte(day).varint(views).varint(carts).varint(purchases).varint(returns).zigzag(quantity).zigzag(revenue);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('product-month', bytes);
    const month: ProductMonth = [];
    while (!reader.atEnd) {
      month.push({
        day: reader.byte(),
        views: reader.varint(),
        carts: reader.varint(),
        purchases: reader.varint(),
        returns: reader.varint(),
        quantity: reader.zigzag(),
        revenue: reader.zigzag(),
      });
    }
    return month;
  },
  sizeOf: (month) => 64 + month.length * 90,
};

const dayMs = 86_400_000;
const writer = new ByteWriter();
let lastDay: UtcDay = { dayNumber: -1, month: '', day: 0 };
