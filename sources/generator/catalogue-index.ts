import { createHash } from 'node:crypto';
import { MillraceError, type Product } from '../../schemas/index.ts';
import type { ProductSource } from '../catalogue/product-source.ts';

export type CatalogueEntry = Pick<Product, 'id' | 'category' | 'price'>;

/**
 * The catalogue by category, in typed arrays: the ids as they are, a price of 8 bytes and a place of 4 for each product.
 * Products without a category share one. The order is the catalogue's, so the same catalogue gives the same index.
 */
export class CatalogueIndex {
  readonly ids: readonly string[];
  /** In 1/10,000; 0 where the catalogue has none. */
  readonly prices: Float64Array;
  readonly categories: readonly (string | null)[];
  /** 16 hex digits of all ids, categories and prices in their order: another catalogue of the same size has others. */
  readonly fingerprint: string;
  /** Products, one category after another. */
  readonly #products: Uint32Array;
  /** Where each category begins in `#products`, and the end. */
  readonly #starts: Uint32Array;

  /** Reads a catalogue to its end. Rows that are no products are counted and left out. */
  static async read(source: ProductSource): Promise<{ readonly index: CatalogueIndex; readonly rejected: number }> {
    const gathered = new GatheredEntries();
    let rejected = 0;
    for await (const { products, rejects } of source.batches()) {
      for (const product of products) gathered.add(product);
      rejected += rejects.length;
    }
    return { index: new CatalogueIndex(gathered), rejected };
  }

  constructor(catalogue: Iterable<CatalogueEntry> | GatheredEntries) {
    const entries = catalogue instanceof GatheredEntries ? catalogue : GatheredEntries.of(catalogue);
    const { ids, prices, categoryOf, numbers } = entries;
    if (ids.length === 0) {
      throw new MillraceError('INVALID_ARGUMENT', 'The generator wants a catalogue of 1 product or more, found 0', {});
    }
    this.fingerprint = entries.fingerprint();
    this.ids = ids;
    this.prices = Float64Array.from(prices);
    this.categories = [...numbers.keys()];
    this.#starts = new Uint32Array(numbers.size + 1);
    for (const category of categoryOf) this.#starts[category + 1]!++;
    for (let category = 0; category < numbers.size; category++) this.#starts[category + 1]! += this.#starts[category]!;
    const next = this.#starts.slice();
    this.#products = new Uint32Array(ids.length);
    for (const [product, category] of categoryOf.entries()) this.#products[next[category]!++] = product;
  }

  size(category: number): number {
    return this.#starts[category + 1]! - this.#starts[category]!;
  }

  /** The product at a position 0..size-1 of a category. */
  product(category: number, position: number): number {
    return this.#products[this.#starts[category]! + position]!;
  }
}

/** What is kept of the products while they are read one after another: nothing else of them stays in memory. */
class GatheredEntries {
  readonly ids: string[] = [];
  readonly prices: number[] = [];
  readonly categoryOf: number[] = [];
  /** Of categories, in the order in which they came. */
  readonly numbers = new Map<string | null, number>();
  readonly #digest = createHash('sha256');

  static of(catalogue: Iterable<CatalogueEntry>): GatheredEntries {
    const gathered = new GatheredEntries();
    for (const entry of catalogue) gathered.add(entry);
    return gathered;
  }

  add({ id, category, price }: CatalogueEntry): void {
    let number = this.numbers.get(category);
    if (number === undefined) this.numbers.set(category, (number = this.numbers.size));
    this.#digest.update(`${JSON.stringify([id, category, price])}\n`);
    this.ids.push(id);
    this.prices.push(price ?? 0);
    this.categoryOf.push(number);
  }

  fingerprint(): string {
    return this.#digest.digest('hex').slice(0, 16);
  }
}
