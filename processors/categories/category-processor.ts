import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import { keyRange } from '../binary/two-part-key.ts';
import { addCounts, isNothing } from '../hours/counts.ts';
import { hourOfMonth, monthKey, utcHour, type MonthOfHours } from '../hours/month-of-hours.ts';
import { storeNames } from '../store-names.ts';
import type { CategoryChange, FunnelChange, HoursChange, ProductChange, ProductGone } from './category-change.ts';
import { addToFunnel, type MonthOfFunnels } from './category-funnels.ts';
import {
  categoryProductKey,
  categoryProductOf,
  parseCategoryProductKey,
  type CategoryProduct,
} from './category-products.ts';
import {
  bestSeller,
  noTops,
  topsMax,
  trendingProduct,
  type BestSeller,
  type CategoryTops,
  type TrendingProduct,
} from './category-tops.ts';
import { emptyTopList, knowsFirst, moveInTop } from './top-list.ts';

/**
 * Changes of categories, keyed by category → hours, funnels, products and tops of each (docs/architecture/shop.md,
 * "Categories"). A list of the tops that too many products have left is made anew before the commit, from all products of
 * the category. That is rare: sums of interest and purchases do not fall, so it takes products that are no longer sold or
 * have changed category.
 */
export class CategoryProcessor implements Processor<string, CategoryChange> {
  #hours!: KeyValueStore<string, MonthOfHours>;
  #funnels!: KeyValueStore<string, MonthOfFunnels>;
  #products!: KeyValueStore<string, CategoryProduct>;
  #tops!: KeyValueStore<string, CategoryTops>;
  readonly #incomplete = new Set<string>();

  init(context: ProcessorContext): void {
    this.#hours = context.getStateStore(storeNames.categoryHours);
    this.#funnels = context.getStateStore(storeNames.categoryFunnels);
    this.#products = context.getStateStore(storeNames.categoryProducts);
    this.#tops = context.getStateStore(storeNames.categoryTops);
  }

  async load(records: readonly Record<string, CategoryChange>[]): Promise<void> {
    const hours = new Set<string>();
    const funnels = new Set<string>();
    const products = new Set<string>();
    const tops = new Set<string>();
    for (const { key: category, value: change } of records) {
      if (change.kind === 'hours') hours.add(monthKey(category, utcHour(change.hourMs).month));
      else if (change.kind === 'funnel') funnels.add(monthKey(category, utcHour(change.dayMs).month));
      else {
        products.add(categoryProductKey(category, change.productId));
        tops.add(category);
      }
    }
    await Promise.all([
      this.#hours.load(hours),
      this.#funnels.load(funnels),
      this.#products.load(products),
      this.#tops.load(tops),
    ]);
  }

  process({ key: category, value: change }: Record<string, CategoryChange>): void {
    switch (change.kind) {
      case 'hours':
        return this.#addHours(category, change);
      case 'funnel':
        return this.#addFunnel(category, change);
      case 'product':
      case 'gone':
        return this.#setProduct(category, change);
    }
  }

  async beforeCommit(): Promise<void> {
    await this.#tops.load(this.#incomplete);
    for (const category of this.#incomplete) await this.#makeTops(category);
    this.#incomplete.clear();
  }

  #addHours(category: string, change: HoursChange): void {
    const { month, hour } = utcHour(change.hourMs);
    const key = monthKey(category, month);
    const hours = this.#hours.getLoaded(key) ?? [];
    const row = hourOfMonth(hours, hour);
    addCounts(row, change);
    if (isNothing(row)) hours.splice(hours.indexOf(row), 1);
    if (hours.length > 0) this.#hours.put(key, hours);
    else this.#hours.delete(key);
  }

  #addFunnel(category: string, change: FunnelChange): void {
    const key = monthKey(category, utcHour(change.dayMs).month);
    const month = this.#funnels.getLoaded(key) ?? [];
    addToFunnel(month, change);
    if (month.length > 0) this.#funnels.put(key, month);
    else this.#funnels.delete(key);
  }

  #setProduct(category: string, change: ProductChange | ProductGone): void {
    const { productId } = change;
    const key = categoryProductKey(category, productId);
    const before = this.#products.getLoaded(key);
    const after = change.kind === 'product' ? categoryProductOf(change) : undefined;
    if (after === undefined) this.#products.delete(key);
    else this.#products.put(key, after);

    const tops = this.#tops.getLoaded(category) ?? noTops();
    tops.products += count(after) - count(before);
    tops.active += countActive(after) - countActive(before);
    if (category === '') {
      // The newest product of all has become older: another may be the newest now.
      if (before?.trend.refMs === tops.lastMs && (after?.trend.refMs ?? 0) < tops.lastMs) this.#incomplete.add('');
      tops.lastMs = Math.max(tops.lastMs, after?.trend.refMs ?? 0);
    }
    const max = topsMax(category);
    moveInTop(tops.trending, { ...both(trendingProduct, productId, before, after), capacity: 2 * max });
    moveInTop(tops.bestSellers, { ...both(bestSeller, productId, before, after), capacity: 2 * max });
    if (!knowsFirst(tops.trending, max) || !knowsFirst(tops.bestSellers, max)) this.#incomplete.add(category);
    if (tops.products > 0) this.#tops.put(category, tops);
    else this.#tops.delete(category);
  }

  async #makeTops(category: string): Promise<void> {
    const tops = this.#tops.getLoaded(category);
    if (tops === undefined) return;
    const capacity = 2 * topsMax(category);
    const trending = emptyTopList<TrendingProduct>();
    const bestSellers = emptyTopList<BestSeller>();
    let lastMs = 0;
    for await (const [key, product] of this.#products.range(keyRange(category))) {
      const { productId } = parseCategoryProductKey(key);
      if (category === '') lastMs = Math.max(lastMs, product.trend.refMs);
      moveInTop(trending, { before: undefined, after: trendingProduct(productId, product), capacity });
      moveInTop(bestSellers, { before: undefined, after: bestSeller(productId, product), capacity });
    }
    this.#tops.put(category, { ...tops, lastMs, trending, bestSellers });
  }
}

function both<T>(
  ranked: (productId: string, product: CategoryProduct) => T | undefined,
  productId: string,
  before: CategoryProduct | undefined,
  after: CategoryProduct | undefined,
): { before: T | undefined; after: T | undefined } {
  return { before: before && ranked(productId, before), after: after && ranked(productId, after) };
}

function count(product: CategoryProduct | undefined): number {
  return product === undefined ? 0 : 1;
}

function countActive(product: CategoryProduct | undefined): number {
  return product?.active === true ? 1 : 0;
}
