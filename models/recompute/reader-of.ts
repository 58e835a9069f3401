import { denseRegisters } from './product-users.ts';
import type { Recomputation } from './recompute.ts';
import { relations, type StateReader } from './rows.ts';

/** A recomputation as a reader: to compare two of them, or to change one row and see that it is found. */
export function readerOf(state: Recomputation): Required<StateReader> {
  return {
    productStats: () => state.productStats.values(),
    productHours: () => state.productHours.values(),
    *productUsers() {
      for (const [productId, sparse] of state.productUsers) yield { productId, registers: denseRegisters(sparse) };
    },
    productTitles: () => state.productTitles.values(),
    userProfiles: () => state.userProfiles.values(),
    marginals: () => state.marginals.values(),
    pairTotals: () => state.pairTotals.values(),
    *pairRows() {
      for (const relation of relations) {
        for (const item of state.pairs.items) yield* state.pairs.rows(relation, item);
      }
    },
    list: (kind, item, limit) => Promise.resolve(state.list(kind, item).top(limit)),
    bestSellers: (limit) => Promise.resolve(state.bestSellers().slice(0, limit)),
  };
}
