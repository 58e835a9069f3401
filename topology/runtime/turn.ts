/**
 * A record's place in depth-first, record-at-a-time order, inside one batch.
 *
 *     [position, 0 record | 1 punctuation, …, output index, child index, output index, child index …]
 *
 * In the reference, record 1 goes through all its descendants before record 2 starts; the first output of a node goes
 * through the first child's descendants, then the second child's, before the second output starts. Two records that
 * meet at a node share a prefix up to the ancestor where their ways parted, so comparing place by place orders them.
 * Turns are kept only above nodes where paths meet (plan.ts).
 */
export type Turn = readonly number[];

export function compareTurns(a: Turn, b: Turn): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
