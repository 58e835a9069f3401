import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import { HyperLogLog } from '../hll/hyper-log-log.ts';
import { monthKey, utcHour, type MonthOfHours } from '../hours/month-of-hours.ts';
import { storeNames } from '../store-names.ts';
import { addToHour, countsByHour } from './product-hours.ts';
import { addToStats, newProductStats, type ProductStats } from './product-stats.ts';
import { addTitle, type TitleCount } from './product-titles.ts';

/** Clean interactions by product → totals, hours, users and titles of each product. */
export class ProductProcessor implements Processor<string, Interaction> {
  #stats!: KeyValueStore<string, ProductStats>;
  #hours!: KeyValueStore<string, MonthOfHours>;
  #users!: KeyValueStore<string, HyperLogLog>;
  #titles!: KeyValueStore<string, TitleCount[]>;

  init(context: ProcessorContext): void {
    this.#stats = context.getStateStore(storeNames.productStats);
    this.#hours = context.getStateStore(storeNames.productHours);
    this.#users = context.getStateStore(storeNames.productUsers);
    this.#titles = context.getStateStore(storeNames.productTitles);
  }

  async load(records: readonly Record<string, Interaction>[]): Promise<void> {
    const products = new Set<string>();
    const months = new Set<string>();
    for (const { value } of records) {
      products.add(value.productId);
      if (countsByHour(value)) months.add(monthKey(value.productId, utcHour(value.timestamp).month));
    }
    await Promise.all([
      this.#stats.load(products),
      this.#users.load(products),
      this.#titles.load(products),
      this.#hours.load(months),
    ]);
  }

  process({ value: event }: Record<string, Interaction>): void {
    const { productId, userId, title } = event;
    const stats = this.#stats.getLoaded(productId) ?? newProductStats();
    addToStats(stats, event);
    this.#stats.put(productId, stats);

    if (countsByHour(event)) {
      const { month, hour } = utcHour(event.timestamp);
      const key = monthKey(productId, month);
      const hours = this.#hours.getLoaded(key) ?? [];
      addToHour(hours, hour, event);
      this.#hours.put(key, hours);
    }
    if (userId !== null && event.type !== 'return') {
      const users = this.#users.getLoaded(productId) ?? new HyperLogLog();
      if (users.add(userId)) this.#users.put(productId, users);
    }
    if (title !== null) {
      const titles = this.#titles.getLoaded(productId) ?? [];
      addTitle(titles, title, event);
      this.#titles.put(productId, titles);
    }
  }
}
