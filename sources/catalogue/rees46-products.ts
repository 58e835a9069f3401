/**
 * The catalogue that REES46's event file holds: each row says which category and price its product has at that time.
 *
 * | column                     | product                                                                         |
 * |----------------------------|---------------------------------------------------------------------------------|
 * | product_id                 | id, trimmed; none makes the row a reject, `id`                                   |
 * | event_time                 | updatedAt; no such time makes the row a reject, `date`                           |
 * | category_code              | category, trimmed; empty is null                                                |
 * | price `35.79`              | 357900, exactly; `0.00` is unknown, null; negative, no number or more than 4 places: null, counted |
 * | event_type, category_id, brand, user_id, user_session | not read                                             |
 *
 * A row is a version where its product comes for the first time, and where category or price differ from the product's row
 * before; any other row says nothing new and becomes nothing, neither a product nor a reject. *Before* is the file's order: rows
 * that are not in the order of time give the versions they say, each with its own time. No titles, no currency.
 *
 * Reading a file again gives the same versions. What is remembered of a product takes about 110 bytes.
 *
 * The other rules of rejects: those of csv-file.ts, and `field` for a bound of `validateProduct`, as a time that is more than
 * 5 minutes ahead of the clock.
 */
import { basename } from 'node:path';
import { isInvalidField, productLimits, validateProduct } from '../../schemas/index.ts';
import { type CsvPass, requireColumns } from '../csv-file.ts';
import { parseDecimal } from '../decimal.ts';
import { found, type Refusal } from '../file-batches.ts';
import { parseRees46Time, rees46Columns } from '../rees46.ts';
import { fileSize } from '../source-bytes.ts';
import { type CheckedProduct, copied, readProducts } from './product-rows.ts';
import type { ProductSource } from './product-source.ts';

/**
 * The versions of products in one file of events: plain, `.gz` or `.br`.
 * @throws MillraceError `SOURCE_UNREADABLE` when it is missing; while reading, when its header or compression is wrong.
 */
export async function openRees46Products(path: string): Promise<ProductSource> {
  const name = basename(path);
  const shape = { columns: rees46Columns.length };
  return {
    name,
    bytesTotal: await fileSize(path),
    batches: () => readProducts(path, new VersionRows(name, Date.now()), shape),
  };
}

/** What a row says of its product. */
interface Facts {
  readonly category: string | null;
  readonly price: number | null;
}

/** Turns rows into versions, and keeps what belongs to one pass over one file. */
class VersionRows implements CsvPass<CheckedProduct> {
  readonly #file: string;
  readonly #nowMs: number;
  readonly #latest = new Map<string, Facts>();
  /** There are a few hundred categories: each is kept once. */
  readonly #categories = new Map<string, string>();
  readonly #time: { text: string; ms: number | undefined } = { text: '', ms: undefined };

  constructor(file: string, nowMs: number) {
    this.#file = file;
    this.#nowMs = nowMs;
  }

  header(names: readonly string[]): number {
    return requireColumns(this.#file, names, { columns: rees46Columns });
  }

  row([time = '', , productId = '', , categoryCode = '', , amount = '']: readonly string[]):
    | CheckedProduct
    | Refusal
    | undefined {
    const updatedAt = this.#timeOf(time.trim());
    if (updatedAt === undefined) return { rule: 'date', reason: `wants YYYY-MM-DD HH:MM:SS UTC, ${found(time)}` };
    const id = productId.trim();
    if (id === '') return { rule: 'id', reason: 'wants a product id, found none' };
    const category = this.#categoryOf(categoryCode.trim());
    const exact = parseDecimal(amount.trim(), 4);
    const usable = exact !== undefined && exact >= 0 && exact <= productLimits.priceMax;
    // 0 is what the file says for unknown.
    const price = usable && exact > 0 ? exact : null;
    const before = this.#latest.get(id);
    if (before !== undefined && before.category === category && before.price === price) return undefined;
    const product = validateProduct({ id: copied(id), category, price, updatedAt }, this.#nowMs);
    if (isInvalidField(product)) return { rule: 'field', reason: `${product.field} ${product.reason}` };
    this.#latest.set(product.id, { category, price });
    return { product, unusable: usable ? [] : ['price'] };
  }

  #categoryOf(code: string): string | null {
    const known = this.#categories.get(code);
    if (known !== undefined || code === '') return known ?? null;
    if (this.#categories.size >= categoriesMax) this.#categories.clear();
    const copy = copied(code)!;
    this.#categories.set(copy, copy);
    return copy;
  }

  /** Rows of one second follow each other, so the last time is remembered. */
  #timeOf(text: string): number | undefined {
    if (text !== this.#time.text) {
      this.#time.text = text;
      this.#time.ms = parseRees46Time(text);
    }
    return this.#time.ms;
  }
}

const categoriesMax = 20_000;
