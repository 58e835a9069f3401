import type { Interaction } from '../../schemas/index.ts';
import { HyperLogLog } from '../hll/hyper-log-log.ts';
import { monthKey, utcHour, type MonthOfHours } from '../hours/month-of-hours.ts';
import { addToHour, countsByHour } from '../products/product-hours.ts';
import { addToStats, newProductStats, type ProductStats } from '../products/product-stats.ts';
import { addTitle, type TitleCount } from '../products/product-titles.ts';

/** The rows of one product, from all its events; what can't be subtracted (sketches, first times) is made anew. */
export class ProductRows {
  /** undefined: no event. */
  stats: ProductStats | undefined;
  readonly titles: TitleCount[] = [];
  users: HyperLogLog | undefined;
  /** By key of `product-hours`. */
  readonly months = new Map<string, MonthOfHours>();

  add(event: Interaction): void {
    addToStats((this.stats ??= newProductStats()), event);
    if (event.title !== null) addTitle(this.titles, event.title, event);
    if (event.userId !== null && event.type !== 'return') (this.users ??= new HyperLogLog()).add(event.userId);
    if (!countsByHour(event)) return;
    const { month, hour } = utcHour(event.timestamp);
    const key = monthKey(event.productId, month);
    let hours = this.months.get(key);
    if (hours === undefined) this.months.set(key, (hours = []));
    addToHour(hours, hour, event);
  }
}
