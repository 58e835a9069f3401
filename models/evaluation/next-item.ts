/**
 * Next item with iterative reveal: every session of the test set is shown item by item, and after each item the model
 * names 20. HR@20 is the share of steps whose true next item is among them, MRR@20 the mean of 1/rank (0 when it is not).
 *
 * Every test session counts, every prefix of it is a step, the model learns nothing from the test set, and items seen
 * in the session may be named again (Ludewig, Mauro, Latifi, Jannach 2020; docs/architecture/recommendations.md).
 */
export interface NextItemModel {
  readonly name: string;
  /** At most `limit` items, best first. `seen` is oldest first. */
  next(seen: readonly number[], limit: number): readonly number[];
}

export interface Quality {
  readonly name: string;
  readonly steps: number;
  readonly hitRate: number;
  readonly meanReciprocalRank: number;
  readonly seconds: number;
}

export function evaluate(model: NextItemModel, sessions: readonly (readonly number[])[], limit = 20): Quality {
  const startMs = performance.now();
  let steps = 0;
  let hits = 0;
  let reciprocalRanks = 0;
  for (const session of sessions) {
    const seen: number[] = [];
    for (const [place, item] of session.entries()) {
      if (place > 0) {
        steps += 1;
        const rank = model.next(seen, limit).indexOf(item) + 1;
        if (rank > 0) {
          hits += 1;
          reciprocalRanks += 1 / rank;
        }
      }
      seen.push(item);
    }
  }
  return {
    name: model.name,
    steps,
    hitRate: hits / steps,
    meanReciprocalRank: reciprocalRanks / steps,
    seconds: (performance.now() - startMs) / 1_000,
  };
}
