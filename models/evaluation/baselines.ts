import type { NextItemModel } from './next-item.ts';

/** The items with most events in training, whatever was seen. */
export function popularity(sessions: readonly (readonly number[])[]): NextItemModel {
  const counts = new Map<number, number>();
  for (const session of sessions) for (const item of session) counts.set(item, (counts.get(item) ?? 0) + 1);
  const ranked = byCount(counts);
  return { name: 'popularity', next: (_seen, limit) => ranked.slice(0, limit) };
}

/**
 * Plain association rules: what stood in one session with the last item most often, in any order and at any distance.
 * An item that comes again stands with itself, as in the published baseline.
 */
export function associationRules(sessions: readonly (readonly number[])[]): NextItemModel {
  const counts = new Map<number, Map<number, number>>();
  for (const session of sessions) {
    for (const [place, left] of session.entries()) {
      for (let other = 0; other < session.length; other += 1) {
        const right = session[other]!;
        if (other === place) continue;
        const row = counts.get(left) ?? new Map<number, number>();
        counts.set(left, row);
        row.set(right, (row.get(right) ?? 0) + 1);
      }
    }
  }
  const ranked = new Map<number, readonly number[]>();
  return {
    name: 'association rules',
    next(seen, limit) {
      const last = seen.at(-1)!;
      let list = ranked.get(last);
      if (list === undefined) {
        list = byCount(counts.get(last) ?? new Map());
        ranked.set(last, list);
      }
      return list.slice(0, limit);
    },
  };
}

function byCount(counts: ReadonlyMap<number, number>): number[] {
  return [...counts].toSorted(([a, left], [b, right]) => right - left || a - b).map(([item]) => item);
}
