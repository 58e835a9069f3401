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
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isInvalidField, MillraceError, validateProduct } from '../../schemas/index.ts';
import { type CsvPass, fitsColumns, requireColumns } from '../csv-file.ts';
import { parseDecimal } from '../decimal.ts';
import type { Refusal } from '../file-batches.ts';
import type { FirstLine } from '../first-line.ts';
import { LineOrdinals } from '../line-ordinals.ts';
import { fileSize } from '../source-bytes.ts';
import { readAmazonCategories } from './amazon-categories.ts';
import { type CheckedProduct, copied, readProducts, requireUpdatedAt } from './product-rows.ts';
import type { ProductSource } from './product-source.ts';

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
  const bytesTotal = await fileSize(path);
  const nowMs = Date.now();
  const updatedAtMs = options.updatedAtMs ?? nowMs;
  requireUpdatedAt(updatedAtMs, nowMs);
  const categories = await readAmazonCategories(options.categoriesPath ?? categoriesBeside(path));
  return {
    name,
    bytesTotal,
    batches: () => readProducts(path, new ProductRows(name, categories, updatedAtMs), { columns: columns.length }),
  };
}

/** Whether a file that begins so is one. */
export function isAmazonProducts({ names }: FirstLine): boolean {
  return fitsColumns(names, { columns });
}

function categoriesBeside(path: string): string {
  const plain = join(dirname(path), 'amazon_categories.csv');
  const found = [plain, `${plain}.br`, `${plain}.gz`].find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const reason = `wants amazon_categories.csv (or .br, .gz) beside it, found none`;
  throw new MillraceError('SOURCE_UNREADABLE', `'${basename(path)}' ${reason}`, { file: basename(path) });
}

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

/** Turns rows into products, and keeps what belongs to one pass over one file. */
class ProductRows implements CsvPass<CheckedProduct> {
  readonly #file: string;
  readonly #categories: ReadonlyMap<string, string>;
  readonly #updatedAtMs: number;
  readonly #ids = new LineOrdinals();

  constructor(file: string, categories: ReadonlyMap<string, string>, updatedAtMs: number) {
    this.#file = file;
    this.#categories = categories;
    this.#updatedAtMs = updatedAtMs;
  }

  header(names: readonly string[]): number {
    return requireColumns(this.#file, names, { columns });
  }

  row(fields: readonly string[]): CheckedProduct | Refusal {
    const unusable: string[] = [];
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
    if (this.#ids.nextOf(hash('sha256', id, 'hex')) === 0) return { product, unusable };
    return { rule: 'duplicate', reason: `wants each asin once, found '${id}' again` };
  }
}
