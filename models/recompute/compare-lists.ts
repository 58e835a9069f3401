import { type Difference, shown } from './comparison.ts';
import type { BestSeller, ScoredItem } from './rows.ts';
import { sameInteger, sameScore } from './same.ts';

type Sides = Omit<Difference, 'key'>;

/**
 * Holds an answer against the whole list. At every place the score must be the one of that place and the item one
 * that has this score: so items with equal scores may change places, also across the cut, and nothing else may.
 */
export function compareList(whole: readonly ScoredItem[], actual: readonly ScoredItem[], limit: number): Sides | null {
  const length = Math.min(limit, whole.length);
  if (actual.length !== length) {
    return {
      expected: `${length} items: ${shown(whole.slice(0, limit))}`,
      actual: `${actual.length}: ${shown(actual)}`,
    };
  }
  const scores = new Map(whole.map(({ id, score }) => [id, score]));
  for (const [at, found] of actual.entries()) {
    const wanted = whole[at]!;
    const own = scores.get(found.id);
    // An item is taken once: the second time it has no score any more.
    scores.delete(found.id);
    if (own !== undefined && sameScore(wanted.score, found.score) && sameScore(own, found.score)) continue;
    return { expected: `place ${at + 1}: ${shown(wanted)}`, actual: `place ${at + 1}: ${shown(found)}` };
  }
  return null;
}

/** Best sellers rank by an integer and an id: nothing is left open. */
export function compareBestSellers(expected: readonly BestSeller[], actual: readonly BestSeller[]): Sides | null {
  const same =
    expected.length === actual.length &&
    expected.every(({ id, purchases }, at) => {
      const found = actual[at]!;
      return id === found.id && sameInteger(purchases, found.purchases);
    });
  return same ? null : { expected: shown(expected), actual: shown(actual) };
}
