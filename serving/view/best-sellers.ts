/**
 * The most bought items: purchases descending, then item id ascending (code units).
 *
 * One pass that keeps the best seen so far in a sorted list: nearly every item is turned away by one comparison.
 */
export function bestSellers(of: BestSellersOf): BestSeller[] {
  const { items, limit, purchases, id } = of;
  const best: BestSeller[] = [];
  for (let item = 0; item < items; item += 1) {
    const bought = purchases(item);
    const least = best.length < limit ? 1 : best.at(-1)!.purchases;
    if (bought < least) continue;
    let at = best.length;
    while (at > 0 && ranksBefore(bought, item, best[at - 1]!, id)) at -= 1;
    if (at === limit) continue;
    best.splice(at, 0, { item, purchases: bought });
    if (best.length > limit) best.pop();
  }
  return best;
}

export interface BestSeller {
  readonly item: number;
  readonly purchases: number;
}

export interface BestSellersOf {
  readonly items: number;
  readonly limit: number;
  /** 0 for what is never recommended. */
  readonly purchases: (item: number) => number;
  readonly id: (item: number) => string;
}

function ranksBefore(purchases: number, item: number, other: BestSeller, id: (item: number) => string): boolean {
  return purchases === other.purchases ? id(item) < id(other.item) : purchases > other.purchases;
}
