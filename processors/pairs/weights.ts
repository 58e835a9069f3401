/**
 * What a pair weighs by its distance in the session: integers, in 1/1024, so that sums are exact in any order.
 *
 * `forwardWeights[d]` is for the item that came d places later, `backWeights[d]` for the one that came d places earlier;
 * place 0 is unused. 1/sqrt(d) and the 3/4 for the way back were chosen on validation data (docs/architecture/recommendations.md).
 */
export const pairWindow = 10;
/** As far as the tables go: `pairPositions` of shop-parameters.ts at most. */
export const pairPositionsMax = 50;
export const weightUnit = 1024;
export const forwardWeights = table(weightUnit);
export const backWeights = table(0.75 * weightUnit);

function table(unit: number): readonly number[] {
  return Array.from({ length: pairPositionsMax + 1 }, (_, d) => (d === 0 ? 0 : Math.round(unit / Math.sqrt(d))));
}
