import { marginalKey } from './marginals.ts';
import type { PairTable } from './pair-table.ts';
import type {
  BestSeller,
  ListKind,
  MarginalRow,
  PairTotalsRow,
  ProductStatsRow,
  Relation,
  ScoredItem,
} from './rows.ts';
import { boughtTogetherCountMin, boughtTogetherScore, relationWeight, similarScore } from './scores.ts';

export interface ListSources {
  readonly productStats: ReadonlyMap<string, ProductStatsRow>;
  readonly marginals: ReadonlyMap<string, MarginalRow>;
  readonly pairTotals: ReadonlyMap<Relation, PairTotalsRow>;
  readonly pairs: PairTable;
}

/**
 * Everything that may stand in the list of an item, best first, ties by id in code units, not cut: the answer is its
 * head. Service products are left out, also those that became one after they had been paired.
 */
export function wholeList(kind: ListKind, item: string, from: ListSources): ScoredItem[] {
  const relation = kind === 'similar' ? strongestRelation(item, from.pairs) : 'bought';
  const ni = sessionsOf(relation, item, from);
  const sessions = Number(from.pairTotals.get(relation)?.sessions ?? 0);
  const found: ScoredItem[] = [];
  for (const { neighbour: id, weight, count } of from.pairs.rows(relation, item)) {
    if (from.productStats.get(id)?.service === true) continue;
    const nj = sessionsOf(relation, id, from);
    if (kind === 'similar') found.push({ id, score: similarScore(Number(weight), { ni, nj, sessions }) });
    else if (Number(count) >= boughtTogetherCountMin) {
      found.push({ id, score: boughtTogetherScore(Number(count), { ni, nj }) });
    }
  }
  return found.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

/** The relation with the greatest total of row weight times type weight; ties to bought. */
export function strongestRelation(item: string, pairs: PairTable): Relation {
  const total = (relation: Relation): number => {
    const { from, to } = pairs.range(relation, item);
    let sum = 0;
    for (let row = from; row < to; row++) sum += pairs.weightAt(row);
    return sum * relationWeight[relation];
  };
  return total('viewed') > total('bought') ? 'viewed' : 'bought';
}

/** Products that were bought at all, most purchases first, then by id; no service. */
export function wholeBestSellers(productStats: ReadonlyMap<string, ProductStatsRow>): BestSeller[] {
  return [...productStats.values()]
    .filter(({ purchases, service }) => Number(purchases) > 0 && !service)
    .map(({ productId: id, purchases }) => ({ id, purchases }))
    .sort((a, b) => Number(b.purchases) - Number(a.purchases) || (a.id < b.id ? -1 : 1));
}

function sessionsOf(relation: Relation, item: string, from: ListSources): number {
  return Number(from.marginals.get(marginalKey(relation, item))?.sessions ?? 0);
}
