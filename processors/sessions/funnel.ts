import type { FunnelChange } from '../categories/category-change.ts';
import { categoryAt, type CategoryVersions } from '../categories/category-versions.ts';
import { utcHour } from '../hours/month-of-hours.ts';
import type { SessionWindows } from './session-window.ts';

/**
 * What windows count in the funnels of categories: each window once in every category that it has an event in, under the day
 * of its start, by all that was done in the category. Of two states of a row the difference is what categories are told.
 */
export class FunnelDifference {
  readonly #changes = new Map<
    string,
    { readonly category: string; readonly change: { -readonly [K in keyof FunnelChange]: FunnelChange[K] } }
  >();

  add(windows: SessionWindows, categoriesOf: (productId: string) => CategoryVersions, sign: 1 | -1): void {
    for (const { startMs, products } of windows) {
      const bitsOf = new Map<string, number>();
      for (const { productId, hourMs, bits } of products) {
        const category = categoryAt(categoriesOf(productId), hourMs);
        if (category !== null) bitsOf.set(category, (bitsOf.get(category) ?? 0) | bits);
      }
      for (const [category, bits] of bitsOf) this.#count(category, dayOf(startMs), bits, sign);
    }
  }

  /** Gives all of it, and forgets it. What adds up to nothing is left out. */
  *take(): Iterable<readonly [category: string, change: FunnelChange]> {
    for (const { category, change } of this.#changes.values()) if (change.windows !== 0) yield [category, change];
    this.#changes.clear();
  }

  #count(category: string, day: number, bits: number, sign: 1 | -1): void {
    const key = `${day} ${bits} ${category}`;
    const known = this.#changes.get(key);
    if (known === undefined)
      this.#changes.set(key, { category, change: { kind: 'funnel', dayMs: day, bits, windows: sign } });
    else known.change.windows += sign;
  }
}

/** UTC start of the day; of a time that no Date can hold, that of the last one. */
function dayOf(timestampMs: number): number {
  const { startMs } = utcHour(timestampMs);
  return startMs - (startMs % dayMs);
}

const dayMs = 86_400_000;
