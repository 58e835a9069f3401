import type { Sides } from './compare-table.ts';
import { shown } from './comparison.ts';
import type { RankedList } from './lists.ts';
import type { ScoredItem } from './rows.ts';
import { sameScore } from './same.ts';

/**
 * Holds an answer against the whole list. At every place the score must be the one of that place and the item one
 * that has this score: so items with equal scores may change places, also across the cut, and nothing else may.
 */
export function compareList(whole: RankedList, actual: readonly ScoredItem[], limit: number): Sides | null {
  const top = whole.top(limit);
  if (actual.length !== top.length) {
    return { expected: `${top.length} items: ${shown(top)}`, actual: `${actual.length}: ${shown(actual)}` };
  }
  const taken = new Set<string>();
  for (const [at, found] of actual.entries()) {
    const wanted = top[at]!;
    const own = taken.has(found.id) ? undefined : whole.scoreOf(found.id);
    taken.add(found.id);
    if (own !== undefined && sameScore(wanted.score, found.score) && sameScore(own, found.score)) continue;
    return { expected: `place ${at + 1}: ${shown(wanted)}`, actual: `place ${at + 1}: ${shown(found)}` };
  }
  return null;
}
