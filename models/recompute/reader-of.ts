import { denseRegisters } from './product-users.ts';
import { recentMax } from './profiles.ts';
import type { Recomputation } from './recompute.ts';
import { relations, type StateReader } from './rows.ts';

/** A recomputation as a reader: to compare two of them, or to change one row and see that it is found. */
export function readerOf(state: Recomputation): Required<StateReader> {
  return {
    productStats: () => state.productStats.values(),
    productDays: () => state.productDays.values(),
    *productUsers() {
      for (const [productId, sparse] of state.productUsers) yield { productId, registers: denseRegisters(sparse) };
    },
    productTitles: () => state.productTitles.values(),
    *userProfiles() {
      for (const row of state.userProfiles.values()) yield { ...row, recent: row.recent.slice(0, recentMax) };
    },
    marginals: () => state.marginals.values(),
    pairTotals: () => state.pairTotals.values(),
    *pairRows() {
      for (const relation of relations) {
        for (const item of state.pairs.items) yield* state.pairs.rows(relation, item);
      }
    },
    list: (kind, item, limit) => Promise.resolve(state.list(kind, item).slice(0, limit)),
    bestSellers: (limit) => Promise.resolve(state.bestSellers().slice(0, limit)),
  };
}
