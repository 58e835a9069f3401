import type { StepPair } from './session-step.ts';
import { forwardWeights, pairWindow } from './weights.ts';

/**
 * What the first purchase of an item in a session adds to the relation viewed-bought (docs/architecture/shop.md, "Viewed,
 * then bought"): each other item of the last `positions` places (10 by default) of the session's views leads to it, once, at its nearest distance.
 * Forward only: the way back, from what was bought to what had been viewed, is nothing that anyone asks for.
 */
export function viewedThenBought(
  viewed: readonly string[],
  bought: string,
  positions: number = pairWindow,
): StepPair[] {
  const pairs: StepPair[] = [];
  for (let d = 1; d <= positions && d <= viewed.length; d += 1) {
    const item = viewed[viewed.length - d]!;
    if (item === bought || pairs.some((nearer) => nearer.item === item)) continue;
    pairs.push({ item, forward: forwardWeights[d]!, back: 0, count: 1 });
  }
  return pairs;
}
