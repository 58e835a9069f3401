import { backWeights, forwardWeights, pairWindow } from './weights.ts';

/**
 * What one more event of a session adds to the pair counts (docs/architecture/shop.md, "Step").
 *
 * `sequence` holds the items of the session so far, of the event's relation, oldest first; `item` comes now. Within the
 * last `positions` places (10 by default) each other item i pairs with it once, at its nearest distance d: i→item gains forward weight, item→i
 * back weight. A session gives a directed pair its *largest* weight only, so what it has given already is taken off.
 *
 * What it has given is not stored: it follows from the sequence. Weights fall with distance, so the largest weight i→j
 * has got is that of the nearest "i before j" (forward) or of the nearest "j before i" (back), whichever is more. Only
 * the neighbourhoods of earlier places of `item` can hold them; an item new to the session, the common case, has none.
 */
export interface SessionStep {
  /** The item's first time in this session, for this relation: its marginal rises. */
  readonly first: boolean;
  /** The session's first event of this relation: N rises. */
  readonly opens: boolean;
  readonly pairs: readonly StepPair[];
  /** How many distinct items stood before, at most 10: repN of positions 1..n rises. */
  readonly reminderPositions: number;
  /** The position, 1..10, at which the item stood among them; 0 when it did not. */
  readonly reminderHit: number;
}

export interface StepPair {
  readonly item: string;
  /** Added to the weight item → the step's item, in the row of `item`. */
  readonly forward: number;
  /** Added to the weight of the way back, in the row of the step's item. */
  readonly back: number;
  /** 1 the first time that the session holds the pair, else 0: added to the count in both rows. */
  readonly count: number;
}

export function sessionStep(sequence: readonly string[], item: string, positions: number = pairWindow): SessionStep {
  const length = sequence.length;
  const first = !sequence.includes(item);
  const pairs: StepPair[] = [];
  const distinct: string[] = [];
  for (let d = 1; d <= length && (d <= positions || distinct.length < pairWindow); d += 1) {
    const other = sequence[length - d]!;
    if (distinct.includes(other)) continue;
    distinct.push(other);
    if (d > positions || other === item) continue;
    if (first) {
      pairs.push({ item: other, forward: forwardWeights[d]!, back: backWeights[d]!, count: 1 });
    } else {
      const pair = remainder(sequence, { other, item, d, positions });
      if (pair !== undefined) pairs.push(pair);
    }
  }
  const reminded = distinct.length > pairWindow ? distinct.slice(0, pairWindow) : distinct;
  const reminderHit = first ? 0 : reminded.indexOf(item) + 1;
  return { first, opens: length === 0, pairs, reminderPositions: reminded.length, reminderHit };
}

/** What the pair gains beyond what earlier places of `item` have given; undefined for nothing. */
function remainder(
  sequence: readonly string[],
  { other, item, d, positions }: { other: string; item: string; d: number; positions: number },
): StepPair | undefined {
  let before = Infinity;
  let after = Infinity;
  for (let at = sequence.indexOf(item); at >= 0; at = sequence.indexOf(item, at + 1)) {
    for (let distance = 1; distance <= positions; distance += 1) {
      if (distance < before && sequence[at - distance] === other) before = distance;
      if (distance < after && sequence[at + distance] === other) after = distance;
    }
  }
  if (before === Infinity && after === Infinity) {
    return { item: other, forward: forwardWeights[d]!, back: backWeights[d]!, count: 1 };
  }
  const forwardGiven = Math.max(forwardWeights[before] ?? 0, backWeights[after] ?? 0);
  const backGiven = Math.max(backWeights[before] ?? 0, forwardWeights[after] ?? 0);
  const forward = Math.max(0, forwardWeights[d]! - forwardGiven);
  const back = Math.max(0, backWeights[d]! - backGiven);
  return forward === 0 && back === 0 ? undefined : { item: other, forward, back, count: 0 };
}

/** The last 10 distinct items by their latest occurrence, newest first. */
export function newestDistinct(sequence: readonly string[]): string[] {
  const distinct: string[] = [];
  for (let at = sequence.length - 1; at >= 0 && distinct.length < pairWindow; at -= 1) {
    if (!distinct.includes(sequence[at]!)) distinct.push(sequence[at]!);
  }
  return distinct;
}
