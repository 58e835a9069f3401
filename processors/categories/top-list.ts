/**
 * The first products of an order, greatest rank first, ties by product id ascending. A list is *complete* while it holds
 * every product of the order; past its capacity it drops the last, and from then on knows of the others only that they rank
 * behind its last entry. When so many have left it that fewer remain than are asked for, it must be made anew from all of
 * them; the capacity is twice what is asked for, so that this takes a hundred departures.
 */
export interface TopList<T extends Ranked> {
  readonly entries: T[];
  complete: boolean;
}

export interface Ranked {
  readonly productId: string;
  readonly rank: number;
}

export function emptyTopList<T extends Ranked>(): TopList<T> {
  return { entries: [], complete: true };
}

/**
 * A product comes (`before` undefined), moves, or leaves (`after` undefined). `before` is how it was put last, whether the
 * list has kept it or not. One that ranks behind the last entry of an incomplete list is left out: others may be between.
 */
export function moveInTop<T extends Ranked>(list: TopList<T>, { before, after, capacity }: Move<T>): void {
  const { entries } = list;
  const at = before === undefined ? entries.length : placeOf(entries, before);
  if (before !== undefined && entries[at]?.productId === before.productId) entries.splice(at, 1);
  if (after === undefined) return;
  const place = placeOf(entries, after);
  if (place === entries.length && !list.complete) return;
  entries.splice(place, 0, after);
  if (entries.length <= capacity) return;
  entries.pop();
  list.complete = false;
}

export interface Move<T extends Ranked> {
  readonly before: T | undefined;
  readonly after: T | undefined;
  readonly capacity: number;
}

/** Whether the list can still say who the first `max` are. */
export function knowsFirst<T extends Ranked>({ entries, complete }: TopList<T>, max: number): boolean {
  return complete || entries.length >= max;
}

/** By binary search: where the entry stands, or would stand. */
function placeOf(entries: readonly Ranked[], entry: Ranked): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(entries[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Negative: `a` stands before `b`. */
function compare(a: Ranked, b: Ranked): number {
  if (a.rank !== b.rank) return b.rank - a.rank;
  if (a.productId === b.productId) return 0;
  return a.productId < b.productId ? -1 : 1;
}
