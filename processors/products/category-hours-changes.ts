import type { HoursChange } from '../categories/category-change.ts';
import { addCounts, isNothing, noCounts, type Counts } from '../hours/counts.ts';

/** What the products of a task have to tell categories about their hours: gathered until the commit, one sum an hour. */
export class CategoryHoursChanges {
  readonly #byCategory = new Map<string, Map<number, Counts>>();

  add(category: string, hourMs: number, counts: Readonly<Counts>, sign: 1 | -1 = 1): void {
    addCounts(this.#sumOf(category, hourMs), counts, sign);
  }

  /** Gives all of it, and forgets it. What adds up to nothing is left out. */
  *take(): Iterable<readonly [category: string, change: HoursChange]> {
    for (const [category, hours] of this.#byCategory) {
      for (const [hourMs, counts] of hours)
        if (!isNothing(counts)) yield [category, { kind: 'hours', hourMs, ...counts }];
    }
    this.#byCategory.clear();
  }

  #sumOf(category: string, hourMs: number): Counts {
    let hours = this.#byCategory.get(category);
    if (hours === undefined) this.#byCategory.set(category, (hours = new Map()));
    let sum = hours.get(hourMs);
    if (sum === undefined) hours.set(hourMs, (sum = noCounts()));
    return sum;
  }
}
