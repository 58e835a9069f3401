/**
 * A catalogue in any CSV with a header: a column map says which column holds which field of a product.
 *
 *     { id: 'asin', title: 'name', price: 'actual_price' }   of   asin,name,actual_price,about
 *
 * Between fields stands a tab, a comma or a semicolon: the one that gives all columns of the map; the first line decides. Columns
 * that the map does not name are not read, and only bounded by the row (64 KiB).
 *
 * | field                     | what a column may hold                                                                          |
 * |---------------------------|-------------------------------------------------------------------------------------------------|
 * | id                        | text; none makes the row a reject, `id`; one that came before in the file makes it a reject, `duplicate` |
 * | title, category, imageUrl, url | text up to the bounds of a product                                                         |
 * | price, listPrice          | a number as written-number.ts reads it; 0 is unknown and not counted; not: negative, `%`, more than 4 places |
 * | currency                  | a code of three capitals                                                                        |
 * | stars                     | a number 0..5, rounded to 1/100, 0 is unrated; `90%` is that share of 5                         |
 * | reviews                   | a whole number, `1,234` and `123.0` too                                                         |
 * | bestSeller, active        | true, yes, y, t, 1; false, no, n, f, 0; in any case                                              |
 * | updatedAt                 | ISO 8601 day or time, also with a space, UTC without a zone; or a whole number: ms since epoch, below 10^11 seconds |
 *
 * Text is trimmed. Empty, `-`, `N/A`, `NA`, `NaN`, `null` and `none` are missing: the field is as if it had no column. What else a
 * column may not hold is unknown too, and counted under the field's name; the product stays. Missing and unknown is null, of
 * reviews 0, bestSeller false, active true, updatedAt the time that the caller gives.
 *
 * The currency is what the caller gives for all; else the column's; else that of the price or the list price, by a code or a sign
 * that only one currency has (₹ € £, not $).
 *
 * The other rules of rejects: those of csv-file.ts, and `field` for an id above 200 characters.
 */
import { hash } from 'node:crypto';
import { basename } from 'node:path';
import { isInvalidField, MillraceError, productLimits, validateProduct } from '../../schemas/index.ts';
import type { CsvPass } from '../csv-file.ts';
import { csvBounds } from '../csv-rows.ts';
import { type DecimalMark, isMissing, parseWrittenNumber } from '../written-number.ts';
import type { Refusal } from '../file-batches.ts';
import { csvFields } from '../first-line.ts';
import { LineOrdinals } from '../line-ordinals.ts';
import { fileSize, firstLine } from '../source-bytes.ts';
import type { ColumnMap, MappedField } from './column-map.ts';
import { type CheckedProduct, copied, readProducts, requireUpdatedAt } from './product-rows.ts';
import type { ProductSource } from './product-source.ts';

export interface MappedOptions {
  readonly columns: ColumnMap;
  /** ISO 4217, of all products. Default: what the file says. */
  readonly currency?: string;
  /** Default: by the rules of written-number.ts. */
  readonly decimalMark?: DecimalMark;
  /** From when on versions hold that do not say it, ms since epoch. Default: now, the time of opening. */
  readonly updatedAtMs?: number;
}

/**
 * The products of one file: plain, `.gz` or `.br`.
 * @throws MillraceError `SOURCE_UNREADABLE` when it cannot be read, or lacks a column of the map: with the columns it has;
 * `INVALID_ARGUMENT` for a time or currency that no product can have.
 */
export async function openMappedProducts(path: string, options: MappedOptions): Promise<ProductSource> {
  const name = basename(path);
  const bytesTotal = await fileSize(path);
  const nowMs = Date.now();
  const { columns, currency, decimalMark, updatedAtMs = nowMs } = options;
  requireUpdatedAt(updatedAtMs, nowMs);
  if (currency !== undefined && !isCurrencyCode(currency)) {
    throw new MillraceError('INVALID_ARGUMENT', `currency wants three capitals as USD, found '${currency}'`);
  }
  const line = await firstLine(path);
  const delimiter = delimiterOf(line, columns);
  const begin = (): MappedRows => new MappedRows({ file: name, columns, currency, decimalMark, updatedAtMs, nowMs });
  // The header is looked at before anything is read: what is wrong with the map is heard when the file is opened.
  begin().header(csvFields(line, delimiter));
  const shape = { delimiter, fieldBytesMax: csvBounds.rowBytesMax };
  return { name, bytesTotal, batches: () => readProducts(path, begin(), shape) };
}

const delimiters = ['\t', ',', ';'] as const;

/** The one that gives all the columns of the map, else the one that gives most columns. */
function delimiterOf(line: string, columns: ColumnMap): string {
  const split = delimiters.map((delimiter) => ({ delimiter, names: csvFields(line, delimiter) }));
  const fits = split.find(({ names }) => Object.values(columns).every((column) => names.includes(column)));
  return (fits ?? split.toSorted((left, right) => right.names.length - left.names.length)[0]!).delimiter;
}

interface RowRules {
  readonly file: string;
  readonly columns: ColumnMap;
  readonly currency: string | undefined;
  readonly decimalMark: DecimalMark | undefined;
  readonly updatedAtMs: number;
  readonly nowMs: number;
}

/** Turns rows into products, and keeps what belongs to one pass over one file. */
class MappedRows implements CsvPass<CheckedProduct> {
  readonly #rules: RowRules;
  readonly #ids = new LineOrdinals();
  readonly #places = new Map<MappedField, number>();

  constructor(rules: RowRules) {
    this.#rules = rules;
  }

  header(names: readonly string[]): number {
    const { file, columns } = this.#rules;
    const trimmed = names.map((name) => name.trim());
    for (const [field, column] of Object.entries(columns)) {
      const at = trimmed.indexOf(column);
      const twice = at >= 0 && trimmed.includes(column, at + 1);
      if (at >= 0 && !twice) this.#places.set(field as MappedField, at);
      else {
        const has = trimmed.length === 0 ? 'nothing' : trimmed.map((name) => `'${name}'`).join(', ');
        const reason = `wants ${twice ? 'one column' : 'a column'} '${column}' for ${field}, found ${has}`;
        throw new MillraceError('SOURCE_UNREADABLE', `'${file}' ${reason}`, { file, column, found: has });
      }
    }
    return names.length;
  }

  row(fields: readonly string[]): CheckedProduct | Refusal {
    const { currency: given, decimalMark, updatedAtMs, nowMs } = this.#rules;
    const cells = new Cells((field) => fields[this.#places.get(field) ?? -1] ?? '', decimalMark);
    const id = copied(fields[this.#places.get('id')!]!);
    if (id === null) return { rule: 'id', reason: 'wants an id, found none' };
    const currency = cells.read('currency', (text) => (isCurrencyCode(text) ? text : undefined));
    const price = cells.amount('price');
    const listPrice = cells.amount('listPrice');
    const product = validateProduct(
      {
        id,
        title: cells.text('title', productLimits.titleCharsMax),
        category: cells.text('category', productLimits.idCharsMax),
        price: price?.value || null,
        listPrice: listPrice?.value || null,
        currency: given ?? currency ?? price?.currency ?? listPrice?.currency ?? null,
        stars: cells.stars() || null,
        reviews: cells.reviews() ?? 0,
        bestSeller: cells.flag('bestSeller') ?? false,
        active: cells.flag('active') ?? true,
        imageUrl: cells.text('imageUrl', productLimits.urlCharsMax),
        url: cells.text('url', productLimits.urlCharsMax),
        updatedAt: cells.time(nowMs) ?? updatedAtMs,
      },
      Number.MAX_SAFE_INTEGER, // Times were checked.
    );
    if (isInvalidField(product)) return { rule: 'field', reason: `${product.field} ${product.reason}` };
    if (this.#ids.nextOf(hash('sha256', id, 'hex')) === 0) return { product, unusable: cells.unusable };
    return { rule: 'duplicate', reason: `wants each id once, found '${id}' again` };
  }
}

/** The fields of one row, and which of them could not be used. */
class Cells {
  readonly unusable: MappedField[] = [];
  readonly #cell: (field: MappedField) => string;
  readonly #decimalMark: DecimalMark | undefined;

  constructor(cell: (field: MappedField) => string, decimalMark: DecimalMark | undefined) {
    this.#cell = cell;
    this.#decimalMark = decimalMark;
  }

  /** Null when it is missing, or when `parse` cannot use it. */
  read<T>(field: MappedField, parse: (text: string) => T | undefined): T | null {
    const text = this.#cell(field).trim();
    if (isMissing(text)) return null;
    const value = parse(text);
    if (value === undefined) this.unusable.push(field);
    return value ?? null;
  }

  text(field: MappedField, charsMax: number): string | null {
    return this.read(field, (text) => (text.length <= charsMax ? (copied(text) ?? undefined) : undefined));
  }

  amount(field: 'price' | 'listPrice'): { readonly value: number; readonly currency: string | null } | null {
    return this.read(field, (text) => {
      const number = parseWrittenNumber(text, this.#decimalMark);
      if (number === undefined || number.percent) return undefined;
      return number.value >= 0 && number.value <= productLimits.priceMax ? number : undefined;
    });
  }

  /** In 1/100. */
  stars(): number | null {
    return this.read('stars', (text) => {
      const number = parseWrittenNumber(text, this.#decimalMark);
      if (number === undefined || number.currency !== null || number.value < 0) return undefined;
      const stars = Math.round(number.percent ? number.value / 2000 : number.value / 100);
      return number.value <= (number.percent ? 1_000_000 : 50_000) ? stars : undefined;
    });
  }

  reviews(): number | null {
    return this.read('reviews', (text) => {
      const number = parseWrittenNumber(text, this.#decimalMark);
      if (number === undefined || number.percent || number.currency !== null) return undefined;
      const reviews = number.value / 10_000;
      return Number.isInteger(reviews) && reviews >= 0 && reviews <= productLimits.reviewsMax ? reviews : undefined;
    });
  }

  flag(field: 'bestSeller' | 'active'): boolean | null {
    return this.read(field, (text) => flags.get(text.toLowerCase()));
  }

  time(nowMs: number): number | null {
    return this.read('updatedAt', (text) => {
      const ms = parseTime(text);
      return ms !== undefined && ms >= 0 && ms <= nowMs + productLimits.aheadMsMax ? ms : undefined;
    });
  }
}

const flags: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'y', 't', '1'].map((text) => [text, true] as const),
  ...['false', 'no', 'n', 'f', '0'].map((text) => [text, false] as const),
]);

const secondsBelow = 1e11;

/** Undefined for any other form, and for days that do not exist. */
function parseTime(text: string): number | undefined {
  if (/^\d{1,16}$/.test(text)) return Number(text) < secondsBelow ? Number(text) * 1000 : Number(text);
  const [, day, time, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  const ms = Date.parse(`${day}T${time ?? '00:00'}${zone === 'UTC' ? 'Z' : zone}`);
  // JavaScript takes 30 February for 2 March.
  const exists = !Number.isNaN(ms) && new Date(`${day}T00:00Z`).toISOString().startsWith(day);
  return exists ? ms : undefined;
}

function isCurrencyCode(text: string): boolean {
  return /^[A-Z]{3}$/.test(text);
}
