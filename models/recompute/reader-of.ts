import { topsMax } from './categories.ts';
import { productOf } from './log-versions.ts';
import { denseRegisters } from './product-users.ts';
import type { Recomputation } from './recompute.ts';
import { relations, type StateReader } from './rows.ts';
import { wordsOfTitle } from './title-words.ts';
import { readProducts } from './windows.ts';

/** A recomputation as a reader: to compare two of them, or to change one row and see that it is found. */
export function readerOf(state: Recomputation): Required<StateReader> {
  return {
    productStats: () => state.productStats.values(),
    productHours: () => state.productHours.values(),
    *productUsers() {
      for (const [productId, sparse] of state.productUsers) yield { productId, registers: denseRegisters(sparse) };
    },
    productTitles: () => state.productTitles.values(),
    *titleWords() {
      for (const [productId, { title, level }] of state.titles) {
        for (const word of wordsOfTitle(title)) yield { word, productId, level };
      }
    },
    userProfiles: () => state.userProfiles.values(),
    *userProducts() {
      for (const rows of state.userProducts.values()) yield* rows;
    },
    catalogueCounts: () => Promise.resolve(state.catalogue.counts),
    *products() {
      for (const { said, updatedAt } of state.catalogue.products.values()) yield productOf(said, updatedAt);
    },
    *productCategories() {
      for (const [productId, categories] of state.catalogue.categories) yield { productId, categories };
    },
    categoryHours: () => state.categoryHours.values(),
    categoryProducts: () => state.categories.products.values(),
    *categoryTops() {
      for (const { category, products, active, byFast, bestSellers } of state.categories.tops.values()) {
        const max = topsMax(category);
        yield { category, products, active, byFast: byFast.top(max), bestSellers: bestSellers.top(max) };
      }
    },
    *sessionWindows() {
      for (const { products, ...window } of state.sessionWindows.values()) {
        yield { ...window, products: readProducts(products) };
      }
    },
    categoryFunnels: () => state.categoryFunnels.values(),
    marginals: () => state.marginals.values(),
    pairTotals: () => state.pairTotals.values(),
    *pairRows() {
      for (const relation of relations) {
        for (const item of state.pairs.items) yield* state.pairs.rows(relation, item);
      }
    },
    list: (kind, item, limit) => Promise.resolve(state.list(kind, item).top(limit)),
    bestSellers: (limit) => Promise.resolve(state.bestSellers().top(limit)),
    trending: (category, limit) => Promise.resolve(state.trending(category).top(limit)),
    categoryAffinity: (userId, limit) => Promise.resolve(state.categoryAffinity(userId).top(limit)),
  };
}
