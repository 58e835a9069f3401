/**
 * RetailRocket: what visitors of a shop did, not in the order of time.
 *
 * | column                        | event                                                                       |
 * |-------------------------------|-----------------------------------------------------------------------------|
 * | timestamp `1433193132535`     | timestamp, ms since epoch                                                   |
 * | visitorid, itemid             | userId, productId; the file has no sessions: sessionId null                 |
 * | event                         | view; addtocart is `cart`, transaction is `purchase`                        |
 * | transactionid                 | not read: the items of a purchase share it, and the visitor holds them together |
 * | datetime, where there is one  | not read, nor part of the id: it says the timestamp again                   |
 *
 * No prices: 0. Rules: `date`, `type`, `visitor`, `product`, and those of csv-events.ts.
 */
import { type CsvEventFormat, openCsvEvents } from './csv-events.ts';
import { fitsColumns } from './csv-file.ts';
import { parseDecimal } from './decimal.ts';
import type { EventSource } from './event-source.ts';
import { found } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';

const types = { view: 'view', addtocart: 'cart', transaction: 'purchase' } as const;

const format: CsvEventFormat = {
  columns: ['timestamp', 'visitorid', 'event', 'itemid', 'transactionid'],
  ignored: ['datetime'],
  event([time = '', userId = '', type = '', productId = '']) {
    const timestamp = parseDecimal(time, 0);
    if (timestamp === undefined || timestamp < 0)
      return { rule: 'date', reason: `wants ms since epoch, ${found(time)}` };
    if (!Object.hasOwn(types, type)) {
      return { rule: 'type', reason: `wants one of ${Object.keys(types).join(', ')}; ${found(type)}` };
    }
    if (userId === '') return { rule: 'visitor', reason: 'wants a visitor id, found none' };
    if (productId === '') return { rule: 'product', reason: 'wants an item id, found none' };
    return { timestamp, type: types[type as keyof typeof types], productId, userId };
  },
};

export function openRetailRocket(path: string): Promise<EventSource> {
  return openCsvEvents(path, format);
}

/** Whether a file that begins so is one. */
export function isRetailRocket({ names }: FirstLine): boolean {
  return fitsColumns(names, format);
}
