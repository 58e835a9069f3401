import { MillraceError, type Interaction, type Product } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import {
  catalogueCounters,
  invalidVersion,
  isVersion,
  judgeVersion,
  type CatalogueCounter,
} from '../catalogue/catalogue-version.ts';
import type { CategoryChange } from '../categories/category-change.ts';
import { categoryAt, currentCategory, withVersion, type CategoryVersions } from '../categories/category-versions.ts';
import { HyperLogLog } from '../hll/hyper-log-log.ts';
import { countsOf } from '../hours/counts.ts';
import { hourStartMs, monthKey, monthsBetween, utcHour, type MonthOfHours } from '../hours/month-of-hours.ts';
import { storeNames } from '../store-names.ts';
import { CategoryHoursChanges } from './category-hours-changes.ts';
import { productChange } from './product-change.ts';
import { addToHour, countsByHour } from './product-hours.ts';
import type { ProductOutput } from './product-output.ts';
import { addToStats, newProductStats, type ProductStats } from './product-stats.ts';
import { addTitle, bestTitle, type TitleCount } from './product-titles.ts';
import { relist, titleListing } from './title-listing.ts';
import { popularityLevel } from './title-words.ts';

/**
 * Everything that is kept by product: clean interactions and catalogue versions of a product, as one stream → totals, hours,
 * users, titles and their words, the last version and the categories of each.
 *
 * An hour of a product counts in the category that the product had then. A version that comes late says that another one
 * would have been right, so the hours that it is about are moved; what categories are told is gathered until the commit,
 * one sum an hour and one row a product.
 */
export class ProductProcessor implements Processor<string, Interaction | Product, string, ProductOutput> {
  #context!: ProcessorContext<string, ProductOutput>;
  #stats!: KeyValueStore<string, ProductStats>;
  #hours!: KeyValueStore<string, MonthOfHours>;
  #users!: KeyValueStore<string, HyperLogLog>;
  #titles!: KeyValueStore<string, TitleCount[]>;
  #words!: KeyValueStore<string, Uint8Array>;
  #counters!: KeyValueStore<string, number>;
  #products!: KeyValueStore<string, Product>;
  #categories!: KeyValueStore<string, CategoryVersions>;
  readonly #hoursChanges = new CategoryHoursChanges();
  /** Products of which something has changed since the commit, with what was so at the commit. */
  readonly #changed = new Map<string, Committed>();

  init(context: ProcessorContext<string, ProductOutput>): void {
    this.#context = context;
    this.#stats = context.getStateStore(storeNames.productStats);
    this.#hours = context.getStateStore(storeNames.productHours);
    this.#users = context.getStateStore(storeNames.productUsers);
    this.#titles = context.getStateStore(storeNames.productTitles);
    this.#words = context.getStateStore(storeNames.titleWords);
    this.#counters = context.getStateStore(storeNames.catalogueCounters);
    this.#products = context.getStateStore(storeNames.products);
    this.#categories = context.getStateStore(storeNames.productCategories);
  }

  async load(records: readonly Record<string, Interaction | Product>[]): Promise<void> {
    const ofEvents = new Set<string>();
    const ofVersions = new Set<string>();
    const months = new Set<string>();
    for (const { key, value } of records) {
      if (isVersion(value)) {
        ofVersions.add(key);
        continue;
      }
      ofEvents.add(key);
      if (countsByHour(value)) months.add(monthKey(key, utcHour(value.timestamp).month));
    }
    const all = ofVersions.size === 0 ? ofEvents : new Set([...ofEvents, ...ofVersions]);
    await Promise.all([
      this.#stats.load(all),
      this.#categories.load(all),
      this.#users.load(ofEvents),
      this.#titles.load(ofEvents),
      this.#products.load(ofVersions),
      ofVersions.size === 0 ? undefined : this.#counters.load(catalogueCounters),
    ]);
    if (ofVersions.size > 0) this.#addMonthsThatMove(records, months);
    await this.#hours.load(months);
  }

  process(record: Record<string, Interaction | Product>): void {
    const { key, value } = record;
    if (isVersion(value)) this.#version(key, value, record);
    else this.#event(value);
  }

  async beforeCommit(): Promise<void> {
    const changed = [...this.#changed.keys()];
    const rows = [this.#stats, this.#products, this.#categories, this.#titles];
    await Promise.all(rows.map((store) => store.load(changed)));
    for (const [productId, committed] of this.#changed) {
      this.#tellCategories(productId, committed.category);
      this.#relist(productId, committed);
    }
    this.#changed.clear();
    for (const [category, change] of this.#hoursChanges.take()) this.#tell(category, change);
  }

  #event(event: Interaction): void {
    const { productId, userId, title } = event;
    const stats = this.#stats.getLoaded(productId) ?? newProductStats();
    const categories = this.#categories.getLoaded(productId) ?? none;
    const committed = this.#noteChange(productId, categories, stats);
    addToStats(stats, event);
    this.#stats.put(productId, stats);

    if (countsByHour(event)) {
      const { startMs, month, hour } = utcHour(event.timestamp);
      const key = monthKey(productId, month);
      const hours = this.#hours.getLoaded(key) ?? [];
      addToHour(hours, hour, event);
      this.#hours.put(key, hours);
      const category = categoryAt(categories, startMs);
      if (category !== null) this.#hoursChanges.add(category, startMs, countsOf(event));
    }
    if (userId !== null && event.type !== 'return') {
      const users = this.#users.getLoaded(productId) ?? new HyperLogLog();
      if (users.add(userId)) this.#users.put(productId, users);
    }
    if (title !== null) {
      const titles = this.#titles.getLoaded(productId) ?? [];
      if (committed.eventTitle === undefined) committed.eventTitle = bestTitle(titles);
      addTitle(titles, title, event);
      this.#titles.put(productId, titles);
    }
  }

  #version(productId: string, version: Product, { timestamp, headers }: Record<string, unknown>): void {
    const invalid = invalidVersion(productId, version);
    if (invalid !== undefined) {
      this.#count('invalid');
      throw new MillraceError('INVALID_EVENT', `Field '${invalid.field}' of a product ${invalid.reason}`, {
        field: invalid.field,
      });
    }
    const last = this.#products.getLoaded(productId);
    const verdict = judgeVersion(last, version);
    this.#count(verdict);
    if (verdict !== 'accepted') return;
    this.#products.put(productId, version);
    this.#context.forward({ key: productId, value: { kind: 'version', product: version }, timestamp, headers });

    const before = this.#categories.getLoaded(productId) ?? none;
    const after = withVersion(before, { fromMs: version.updatedAt, category: version.category });
    const committed = this.#noteChange(productId, before, this.#stats.getLoaded(productId));
    if (committed.catalogueTitle === undefined) committed.catalogueTitle = last?.title ?? null;
    if (after === before) return;
    this.#categories.put(productId, after);
    this.#moveHours(productId, before, after);
    this.#context.forward({ key: productId, value: { kind: 'categories', versions: after }, timestamp, headers });
  }

  /** Hours that were another category's before are taken from it, and given to the one that they have now. */
  #moveHours(productId: string, before: CategoryVersions, after: CategoryVersions): void {
    const stats = this.#stats.getLoaded(productId);
    if (stats === undefined) return;
    for (const month of monthsBetween(stats.firstSeenMs, stats.lastSeenMs)) {
      for (const counts of this.#hours.getLoaded(monthKey(productId, month)) ?? []) {
        const startMs = hourStartMs(month, counts.hour);
        const from = categoryAt(before, startMs);
        const to = categoryAt(after, startMs);
        if (from === to) continue;
        if (from !== null) this.#hoursChanges.add(from, startMs, counts, -1);
        if (to !== null) this.#hoursChanges.add(to, startMs, counts);
      }
    }
  }

  /** All months of products whose category the batch changes: what its events of any type reach over included. */
  #addMonthsThatMove(records: readonly Record<string, Interaction | Product>[], months: Set<string>): void {
    const spans = new Map<string, { fromMs: number; toMs: number }>();
    for (const { key, value } of records) {
      if (!isVersion(value) || spans.has(key)) continue;
      const categories = this.#categories.getLoaded(key) ?? none;
      if (categories.length > 0 && currentCategory(categories) === value?.category) continue;
      const { firstSeenMs: fromMs, lastSeenMs: toMs } = this.#stats.getLoaded(key) ?? newProductStats();
      spans.set(key, { fromMs, toMs });
    }
    for (const { key, value } of records) {
      const span = isVersion(value) ? undefined : spans.get(key);
      if (span === undefined || isVersion(value)) continue;
      span.fromMs = Math.min(span.fromMs, value.timestamp);
      span.toMs = Math.max(span.toMs, value.timestamp);
    }
    for (const [productId, { fromMs, toMs }] of spans) {
      if (fromMs > toMs) continue;
      for (const month of monthsBetween(fromMs, toMs)) months.add(monthKey(productId, month));
    }
  }

  /** Before anything changes: gives what was so at the commit. */
  #noteChange(productId: string, categories: CategoryVersions, stats: ProductStats | undefined): Committed {
    const known = this.#changed.get(productId);
    if (known !== undefined) return known;
    const category = currentCategory(categories);
    const level = popularityLevel(stats ?? newProductStats());
    const committed: Committed = { category, level, eventTitle: undefined, catalogueTitle: undefined };
    this.#changed.set(productId, committed);
    return committed;
  }

  #relist(productId: string, { level, eventTitle, catalogueTitle }: Committed): void {
    const titles = this.#titles.getLoaded(productId) ?? [];
    const product = this.#products.getLoaded(productId);
    const ofCatalogue = catalogueTitle === undefined ? (product?.title ?? null) : catalogueTitle;
    const ofEvents = eventTitle === undefined ? bestTitle(titles) : eventTitle;
    const after = titleListing({ stats: this.#stats.getLoaded(productId), titles, product });
    relist(this.#words, productId, { before: { title: ofCatalogue ?? ofEvents, level }, after });
  }

  #tellCategories(productId: string, told: string | null): void {
    const category = currentCategory(this.#categories.getLoaded(productId) ?? none);
    if (told !== null && told !== category) this.#tell(told, { kind: 'gone', productId });
    const stats = this.#stats.getLoaded(productId);
    const change = productChange(productId, stats, this.#products.getLoaded(productId));
    if (stats !== undefined) this.#tell('', change);
    if (category !== null) this.#tell(category, change);
  }

  #tell(category: string, change: CategoryChange): void {
    const timestamp = this.#context.currentStreamTimeMs();
    this.#context.forward({ key: category, value: { kind: 'change', change }, timestamp, headers: [] });
  }

  #count(counter: CatalogueCounter): void {
    this.#counters.put(counter, (this.#counters.getLoaded(counter) ?? 0) + 1);
  }
}

interface Committed {
  /** That has been told of the product. */
  readonly category: string | null;
  readonly level: number;
  /** undefined: no event has brought a title since. */
  eventTitle: string | null | undefined;
  /** undefined: no version has been accepted since. */
  catalogueTitle: string | null | undefined;
}

const none: CategoryVersions = [];
