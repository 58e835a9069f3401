/**
 * Amazon Products Dataset 2023: one product a row, prices in US dollars, categories by number.
 *
 *     asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth
 *
 * | column             | product                                                                             |
 * |--------------------|-------------------------------------------------------------------------------------|
 * | asin               | id, trimmed; none makes the row a reject, `id`                                      |
 * | title, imgUrl, productURL | trimmed; empty is null                                                       |
 * | stars              | `4.5` is 450; `0.0` is unrated, null; above 5 or no number: null, counted           |
 * | price, listPrice   | `139.99` is 1399900, exactly; `0.0` is unknown, null; negative, no number or more than 4 places: null, counted |
 * | reviews            | an integer; else 0, counted                                                         |
 * | category_id        | the name in `amazon_categories.csv`; an id that is not there: null, counted         |
 * | isBestSeller       | `True` or `False`; else false, counted                                              |
 * | boughtInLastMonth  | not kept: it is no property of the product                                          |
 *
 * So only the id and the shape of a row decide whether it is a product; any other field is at worst unknown. An id that
 * comes again in the file is a reject, `duplicate`: the first row holds, so loading a file twice leaves what it left. The ids
 * seen cost 12 bytes for each of up to twice the rows. The other rules of rejects: `columns`, `torn`, `oversized`, `encoding`,
 * and `field` for a bound of `validateProduct`.
 */
import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isInvalidField, MillraceError, type Product, validateProduct } from '../../schemas/index.ts';
import { CsvRows, type RawRow } from '../csv-rows.ts';
import { parseDecimal } from '../decimal.ts';
import type { SourceReject } from '../event-source.ts';
import { LineOrdinals } from '../line-ordinals.ts';
import { fileBytes } from '../source-bytes.ts';
import { readAmazonCategories } from './amazon-categories.ts';
import type { ProductBatch, ProductSource } from './product-source.ts';

export interface AmazonOptions {
  /** Default: `amazon_categories.csv`, plain, `.br` or `.gz`, beside the products. */
  readonly categoriesPath?: string;
  /** From when on these versions hold, ms since epoch. Default: now, the time of opening. */
  readonly updatedAtMs?: number;
}

/**
 * The products of one file: plain, `.gz` or `.br`.
 * @throws MillraceError `SOURCE_UNREADABLE` when it or the categories cannot be read; `INVALID_ARGUMENT` for a time that no
 * product can have.
 */
export async function openAmazonProducts(path: string, options: AmazonOptions = {}): Promise<ProductSource> {
  const name = basename(path);
  const bytesTotal = await sizeOf(path);
  if (bytesTotal === undefined) {
    throw new MillraceError('SOURCE_UNREADABLE', `Cannot read '${name}': there is no such file`, { file: name });
  }
  const nowMs = Date.now();
  const updatedAtMs = options.updatedAtMs ?? nowMs;
  const probe = validateProduct({ id: 'x', updatedAt: updatedAtMs }, nowMs);
  if (isInvalidField(probe)) throw new MillraceError('INVALID_ARGUMENT', `${probe.field} ${probe.reason}`);
  const categories = await readAmazonCategories(options.categoriesPath ?? (await categoriesBeside(path)));
  return { name, bytesTotal, batches: () => readBatches(path, new ProductRows(name, categories, updatedAtMs)) };
}

async function categoriesBeside(path: string): Promise<string> {
  const plain = join(dirname(path), 'amazon_categories.csv');
  for (const candidate of [plain, `${plain}.br`, `${plain}.gz`]) {
    if ((await sizeOf(candidate)) !== undefined) return candidate;
  }
  const reason = `wants amazon_categories.csv (or .br, .gz) beside it, found none`;
  throw new MillraceError('SOURCE_UNREADABLE', `'${basename(path)}' ${reason}`, { file: basename(path) });
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why = (cause as Error).message;
    throw new MillraceError('SOURCE_UNREADABLE', `Cannot read '${basename(path)}': ${why}`, {}, { cause });
  }
}

async function* readBatches(path: string, reader: ProductRows): AsyncGenerator<ProductBatch, void, undefined> {
  const bytes = fileBytes(path);
  const rows = new CsvRows(reader, { columns: columns.length });
  let failure: Error | undefined;
  try {
    for await (const chunk of bytes.chunks()) {
      rows.push(chunk);
      for (const batch of reader.take()) yield { ...batch, bytesRead: bytes.bytesRead() };
    }
    rows.end();
    reader.end();
  } catch (error) {
    failure = error as Error;
  }
  // What was read before the unreadable place is delivered first.
  reader.cut();
  for (const batch of reader.take()) yield { ...batch, bytesRead: bytes.bytesRead() };
  if (failure !== undefined) throw failure;
}

const batchRows = 1000;

const columns = [
  'asin',
  'title',
  'imgUrl',
  'productURL',
  'stars',
  'reviews',
  'price',
  'listPrice',
  'category_id',
  'isBestSeller',
  'boughtInLastMonth',
] as const;

type Rows = Omit<ProductBatch, 'bytesRead'>;
type Refusal = Pick<SourceReject, 'rule' | 'reason'>;

/** Turns rows into products and rejects, and keeps what belongs to one pass over one file. */
class ProductRows {
  readonly #file: string;
  readonly #categories: ReadonlyMap<string, string>;
  readonly #updatedAtMs: number;
  readonly #ids = new LineOrdinals();
  #headerSeen = false;
  #products: Product[] = [];
  /** Parallel to `#products`. */
  #lines: number[] = [];
  #rejects: SourceReject[] = [];
  #unusable: Record<string, number> = {};
  #batches: Rows[] = [];

  constructor(file: string, categories: ReadonlyMap<string, string>, updatedAtMs: number) {
    this.#file = file;
    this.#categories = categories;
    this.#updatedAtMs = updatedAtMs;
  }

  row(fields: readonly string[], line: number, source: RawRow): void {
    if (!this.#headerSeen) {
      this.#header(fields);
      return;
    }
    const unusable: string[] = [];
    const result = this.#product(fields, unusable);
    if ('rule' in result) this.#rejects.push({ ...result, file: this.#file, line, raw: source.raw() });
    else {
      this.#products.push(result);
      this.#lines.push(line);
      for (const field of unusable) this.#unusable[field] = (this.#unusable[field] ?? 0) + 1;
    }
    if (this.#products.length + this.#rejects.length >= batchRows) this.cut();
  }

  damaged(damage: Omit<SourceReject, 'file'>): void {
    if (!this.#headerSeen) this.#header([Buffer.from(damage.raw).toString('latin1')]);
    this.#rejects.push({ ...damage, file: this.#file });
    if (this.#products.length + this.#rejects.length >= batchRows) this.cut();
  }

  end(): void {
    if (!this.#headerSeen) this.#header([]);
  }

  /** Ends the batch under way. */
  cut(): void {
    if (this.#products.length + this.#rejects.length === 0) return;
    const unusable = this.#unusable;
    this.#batches.push({ products: this.#products, lines: this.#lines, rejects: this.#rejects, unusable });
    this.#products = [];
    this.#lines = [];
    this.#rejects = [];
    this.#unusable = {};
  }

  /** The batches that have ended since the last call. */
  take(): readonly Rows[] {
    const batches = this.#batches;
    this.#batches = [];
    return batches;
  }

  #header(found: readonly string[]): void {
    this.#headerSeen = true;
    if (found.length === columns.length && columns.every((name, i) => found[i]!.trim() === name)) return;
    const wanted = columns.join(',');
    const shown = found.length === 0 ? 'nothing' : JSON.stringify(found.join(',').slice(0, 200));
    throw new MillraceError('SOURCE_UNREADABLE', `'${this.#file}' wants the columns ${wanted}; found ${shown}`, {
      file: this.#file,
      wanted,
      found: shown,
    });
  }

  #product(fields: readonly string[], unusable: string[]): Product | Refusal {
    if (fields.length !== columns.length) {
      return { rule: 'columns', reason: `wants ${columns.length} columns, found ${fields.length}` };
    }
    const id = copied(fields[0]!);
    if (id === null) return { rule: 'id', reason: 'wants an asin, found none' };
    const amount = (field: string, text: string, decimals: number, max: number): number | null => {
      const value = parseDecimal(text.trim(), decimals);
      if (value !== undefined && value >= 0 && value <= max) return value;
      unusable.push(field);
      return null;
    };
    const category = this.#categories.get(fields[8]!.trim()) ?? null;
    if (category === null) unusable.push('category');
    const bestSeller = fields[9]!.trim();
    if (bestSeller !== 'True' && bestSeller !== 'False') unusable.push('bestSeller');
    const product = validateProduct(
      {
        id,
        title: copied(fields[1]!),
        category,
        // 0 is what the file says for unknown.
        price: amount('price', fields[6]!, 4, Number.MAX_SAFE_INTEGER - 1) || null,
        listPrice: amount('listPrice', fields[7]!, 4, Number.MAX_SAFE_INTEGER - 1) || null,
        currency: 'USD',
        stars: amount('stars', fields[4]!, 2, 500) || null,
        reviews: amount('reviews', fields[5]!, 0, 1e12) ?? 0,
        bestSeller: bestSeller === 'True',
        imageUrl: copied(fields[2]!),
        url: copied(fields[3]!),
        updatedAt: this.#updatedAtMs,
      },
      Number.MAX_SAFE_INTEGER, // The time was checked when the file was opened.
    );
    if (isInvalidField(product)) return { rule: 'field', reason: `${product.field} ${product.reason}` };
    return this.#seen(id) ? { rule: 'duplicate', reason: `wants each asin once, found '${id}' again` } : product;
  }

  #seen(id: string): boolean {
    const digest = hash('sha256', id, 'hex');
    return this.#ids.next(Number.parseInt(digest.slice(0, 8), 16), Number.parseInt(digest.slice(8, 16), 16)) > 0;
  }
}

/** Trimmed, null when empty, and a copy: a field is a slice that keeps its whole chunk alive. */
function copied(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : Buffer.from(trimmed, 'utf8').toString('utf8');
}
