import { emptyPairTotals, type PairTotals } from '../../processors/index.ts';

/** N and the reminder counters of a relation over all partitions. */
export function sumOfTotals(partitions: readonly (PairTotals | undefined)[]): PairTotals {
  const sum = emptyPairTotals();
  for (const totals of partitions) {
    if (totals === undefined) continue;
    sum.sessions += totals.sessions;
    for (const [k, rep] of totals.rep.entries()) sum.rep[k]! += rep;
    for (const [k, repN] of totals.repN.entries()) sum.repN[k]! += repN;
  }
  return sum;
}
