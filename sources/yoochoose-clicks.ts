/**
 * YooChoose clicks (RecSys Challenge 2015) with the header `session_id,ts,item_id`: a `view` each, in its session, without
 * a user or a price. `ts` is `2014-04-07T10:51:09.277Z`. Sessions are not in the order of time.
 *
 * Rules: `date`, `session`, `product`, and those of csv-events.ts.
 */
import { type CsvEventFormat, openCsvEvents } from './csv-events.ts';
import { fitsColumns } from './csv-file.ts';
import type { EventSource } from './event-source.ts';
import { found } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';

const format: CsvEventFormat = {
  columns: ['session_id', 'ts', 'item_id'],
  event([sessionId = '', time = '', productId = '']) {
    const timestamp = Date.parse(time);
    if (Number.isNaN(timestamp) || new Date(timestamp).toISOString() !== time) {
      return { rule: 'date', reason: `wants YYYY-MM-DDTHH:MM:SS.mmmZ, ${found(time)}` };
    }
    if (sessionId === '') return { rule: 'session', reason: 'wants a session id, found none' };
    if (productId === '') return { rule: 'product', reason: 'wants an item id, found none' };
    return { timestamp, type: 'view', productId, sessionId };
  },
};

export function openYoochooseClicks(path: string): Promise<EventSource> {
  return openCsvEvents(path, format);
}

/** Whether a file that begins so is one. */
export function isYoochooseClicks({ names }: FirstLine): boolean {
  return fitsColumns(names, format);
}
