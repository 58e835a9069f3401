/**
 * UCI Online Retail and Online Retail II: the invoice lines of a UK gift shop, as events.
 *
 *     Invoice, StockCode, Description, Quantity, InvoiceDate, Price, Customer ID, Country
 *     InvoiceNo                                               UnitPrice  CustomerID        in the second file
 *
 * | line                                      | event                                                              |
 * |-------------------------------------------|--------------------------------------------------------------------|
 * | any                                       | a `purchase` in the session of its invoice, currency GBP           |
 * | invoice starts with `C`                   | a `return`; its quantity is negative and becomes positive          |
 * | Customer ID `17850.0`; empty              | userId `17850`; null, an anonymous session                         |
 * | InvoiceDate `2010-12-01 08:26:00`         | UTC                                                                |
 * | StockCode, Description                    | trimmed, case kept: productId, title (null when empty)             |
 * | Price `2.55`                              | 25500, exactly                                                     |
 * | StockCode POST, D, BANK CHARGES …         | `service` is true                                                  |
 *
 * A line that breaks a rule is a reject, with its line number and the rule: `columns`, `torn`, `oversized`, `encoding`,
 * `invoice`, `stock-code`, `quantity`, `price`, `date`, or `field` for a bound of `validateInteraction`.
 *
 * **Ids.** The same line of the two files (they overlap by nine days) must be one event, and a line that stands twice
 * in one file two. So an id is a hash of what the line says and the ordinal among equal lines of its file:
 *
 *     text  invoice US stock code US description US quantity US time in ms US price US user US country
 *           normalised as above, the quantity with its sign; US is the byte 0x1F
 *     id    event-ids.ts
 *
 * Rejects take no ordinal. Loading a file again gives the same ids.
 */
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { type Interaction, isInvalidField, validateInteraction } from '../schemas/index.ts';
import { type CsvPass, otherHeader, readCsv } from './csv-file.ts';
import { parseDecimal } from './decimal.ts';
import { EventIds } from './event-ids.ts';
import type { EventSource, SourceBatch } from './event-source.ts';
import { found, type Refusal } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';
import { fileBytes, fileSize, streamBytes } from './source-bytes.ts';

/** The file as a source with a size, for a progress bar. Plain, `.gz` or `.br`. */
export async function openUciOnlineRetail(path: string): Promise<EventSource> {
  return { name: basename(path), bytesTotal: await fileSize(path), batches: () => readUciOnlineRetail(path) };
}

/**
 * The events of one file, in its order, in batches of about a thousand lines.
 *
 * @param source a path (plain, `.gz`, `.br`), or a stream of the plain CSV's bytes.
 * @param name shown in rejects; default: the file's name, or `stream`.
 * @throws MillraceError `SOURCE_UNREADABLE` when the file is missing, damaged in its compression, or has another header:
 * wanted and found. What was read before that is delivered first.
 */
export async function* readUciOnlineRetail(
  source: string | Readable,
  name?: string,
): AsyncGenerator<SourceBatch, void, undefined> {
  const bytes = typeof source === 'string' ? fileBytes(source) : streamBytes(source, name ?? 'stream');
  const file = name ?? bytes.name;
  const shape = { name: file, columns: headers.length };
  for await (const { items, ...rest } of readCsv(bytes, new InvoiceLines(file), shape)) {
    yield { events: items, ...rest };
  }
}

const headers = [
  ['Invoice', 'InvoiceNo'],
  ['StockCode'],
  ['Description'],
  ['Quantity'],
  ['InvoiceDate'],
  ['Price', 'UnitPrice'],
  ['Customer ID', 'CustomerID'],
  ['Country'],
] as const;

function fitsHeaders(names: readonly string[]): boolean {
  return (
    names.length === headers.length &&
    headers.every((known, at) => (known as readonly string[]).includes(names[at]!.trim()))
  );
}

/** Whether a file that begins so is one of the two. */
export function isUciOnlineRetail({ names }: FirstLine): boolean {
  return fitsHeaders(names);
}

/** Stock codes that are charges, not goods; compared in capitals. */
export const uciServiceCodes: ReadonlySet<string> = new Set([
  'POST',
  'DOT',
  'C2',
  'C3',
  'M',
  'D',
  'S',
  'B',
  'BANK CHARGES',
  'AMAZONFEE',
  'ADJUST',
  'ADJUST2',
  'CRUK',
  'TEST001',
  'TEST002',
]);

/** Turns rows into events, and keeps what belongs to one pass over one file. */
class InvoiceLines implements CsvPass<Interaction> {
  readonly #file: string;
  readonly #ids = new EventIds();
  readonly #texts = new Map<string, string>();
  readonly #time = { text: '', ms: 0 };

  constructor(file: string) {
    this.#file = file;
  }

  header(names: readonly string[]): number {
    if (fitsHeaders(names)) return headers.length;
    throw otherHeader(this.#file, names, headers.map((known) => known.join(' or ')).join(', '));
  }

  row(fields: readonly string[]): Interaction | Refusal {
    const sessionId = fields[0]!.trim();
    if (sessionId === '') return { rule: 'invoice', reason: 'wants an invoice number, found none' };
    const productId = this.#kept(fields[1]!.trim());
    if (productId === '') return { rule: 'stock-code', reason: 'wants a stock code, found none' };
    const title = this.#kept(fields[2]!.trim());

    const signed = parseDecimal(fields[3]!.trim(), 0);
    if (signed === undefined) return { rule: 'quantity', reason: `wants an integer quantity, ${found(fields[3]!)}` };
    const returned = sessionId.startsWith('C');
    if (returned && signed >= 0)
      return { rule: 'quantity', reason: `wants a quantity below 0 in a cancellation, found ${signed}` };
    if (!returned && signed <= 0)
      return { rule: 'quantity', reason: `wants a quantity above 0 in a sale, found ${signed}` };

    const timestamp = this.#timestamp(fields[4]!.trim());
    if (timestamp === undefined) return { rule: 'date', reason: `wants YYYY-MM-DD HH:MM:SS, ${found(fields[4]!)}` };
    const price = parseDecimal(fields[5]!.trim(), 4);
    if (price === undefined) {
      return { rule: 'price', reason: `wants a decimal with at most 4 places, ${found(fields[5]!)}` };
    }
    if (price < 0) return { rule: 'price', reason: `wants a price of 0 or more, ${found(fields[5]!)}` };
    const userId = this.#kept(withoutFraction(fields[6]!.trim()));

    const line = `${sessionId}\x1f${productId}\x1f${title}\x1f${signed}\x1f${timestamp}\x1f${price}\x1f${userId}\x1f${fields[7]!.trim()}`;
    const event = validateInteraction(
      {
        eventId: this.#ids.next(line),
        userId: userId === '' ? null : userId,
        sessionId: this.#kept(sessionId),
        productId,
        type: returned ? 'return' : 'purchase',
        quantity: Math.abs(signed),
        price,
        currency: 'GBP',
        timestamp,
        title: title === '' ? null : title,
        service: uciServiceCodes.has(productId.toUpperCase()),
      },
      Number.POSITIVE_INFINITY,
    );
    return isInvalidField(event) ? { rule: 'field', reason: `${event.field} ${event.reason}` } : event;
  }

  /** Lines of one invoice share their time, so the last one is remembered. */
  #timestamp(text: string): number | undefined {
    if (text !== this.#time.text) {
      const ms = parseTime(text);
      if (ms === undefined) return undefined;
      this.#time.text = text;
      this.#time.ms = ms;
    }
    return this.#time.ms;
  }

  /**
   * One copy of a text that comes again and again. A field is a slice that keeps its whole chunk alive, and events
   * live on in caches.
   */
  #kept(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= textsMax) this.#texts.clear();
    const copy = Buffer.from(text, 'utf8').toString('utf8');
    this.#texts.set(copy, copy);
    return copy;
  }
}

const textsMax = 20_000;

/** `2010-12-01 08:26:00` as UTC; undefined for any other form and for dates that don't exist. */
function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const iso = `${text.slice(0, 10)}T${text.slice(11)}.000Z`;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}

/** Customer ids went through a floating-point column: `17850.0`. */
function withoutFraction(customer: string): string {
  return customer.endsWith('.0') ? customer.slice(0, -2) : customer;
}
