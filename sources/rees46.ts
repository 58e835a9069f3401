/**
 * REES46, "eCommerce behavior data from multi category store".
 *
 * | column                                | event                                                                |
 * |---------------------------------------|----------------------------------------------------------------------|
 * | event_time `2019-10-01 00:00:00 UTC`  | timestamp                                                            |
 * | event_type                            | view, cart, purchase as they are; remove_from_cart is `remove`       |
 * | product_id, user_id, user_session     | productId, userId, sessionId; an empty user or session is null       |
 * | price `35.79`                         | 357900, exactly; 0 stays 0. The file names no currency: null         |
 * | category_id, category_code, brand     | facts about the product: not read here (catalogue/rees46-products.ts) |
 *
 * Rules: `date`, `type`, `product`, `price`, and those of csv-events.ts.
 */
import { type CsvEventFormat, openCsvEvents } from './csv-events.ts';
import { fitsColumns } from './csv-file.ts';
import { parseDecimal } from './decimal.ts';
import type { EventSource } from './event-source.ts';
import { found } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';

const types = { view: 'view', cart: 'cart', remove_from_cart: 'remove', purchase: 'purchase' } as const;

export const rees46Columns = [
  'event_time',
  'event_type',
  'product_id',
  'category_id',
  'category_code',
  'brand',
  'price',
  'user_id',
  'user_session',
] as const;

const format: CsvEventFormat = {
  columns: rees46Columns,
  event([time = '', type = '', productId = '', , , , amount = '', userId = '', sessionId = '']) {
    const timestamp = parseRees46Time(time);
    if (timestamp === undefined) return { rule: 'date', reason: `wants YYYY-MM-DD HH:MM:SS UTC, ${found(time)}` };
    if (!Object.hasOwn(types, type)) {
      return { rule: 'type', reason: `wants one of ${Object.keys(types).join(', ')}; ${found(type)}` };
    }
    if (productId === '') return { rule: 'product', reason: 'wants a product id, found none' };
    const price = parseDecimal(amount, 4);
    if (price === undefined || price < 0) {
      return { rule: 'price', reason: `wants a decimal of 0 or more with at most 4 places, ${found(amount)}` };
    }
    return {
      timestamp,
      type: types[type as keyof typeof types],
      productId,
      price,
      userId: userId === '' ? null : userId,
      sessionId: sessionId === '' ? null : sessionId,
    };
  },
};

export function openRees46(path: string): Promise<EventSource> {
  return openCsvEvents(path, format);
}

/** Whether a file that begins so is one. */
export function isRees46({ names }: FirstLine): boolean {
  return fitsColumns(names, format);
}

/** `2019-10-01 00:00:00 UTC`, ms since epoch; undefined for any other form and for days that do not exist. */
export function parseRees46Time(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/.test(text)) return undefined;
  const iso = `${text.slice(0, 10)}T${text.slice(11, 19)}.000Z`;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}
