import { weightAt, type UserProduct } from './user-products.ts';

/**
 * What share of a user's interest each category has, computed when it is read (docs/architecture/shop.md, "User
 * profiles"): a catalogue that changes is reflected at once, and no row has to follow it.
 *
 *     row ─ affinityProducts ─> the 1,000 that weigh most, as of one moment ─ their categories ─> categoryAffinity
 *
 * In two steps, for whoever asks has to look the categories up in between.
 */
export interface CategoryShare {
  readonly category: string;
  /** Of the interest in products that have a category: 0..1, all categories together 1. */
  readonly share: number;
}

export interface WeightedProduct {
  readonly productId: string;
  readonly weight: number;
}

/** The products whose categories are wanted, with their weights as of the newest of them all; ties by product id. */
export function affinityProducts(products: readonly UserProduct[]): readonly WeightedProduct[] {
  const toMs = products.reduce((newest, { refMs }) => Math.max(newest, refMs), 0);
  const weighted = products.map(({ productId, refMs, weight }) => ({
    productId,
    weight: weightAt(weight, refMs, toMs),
  }));
  if (weighted.length <= productsMax) return weighted;
  return weighted.sort((a, b) => b.weight - a.weight || (a.productId < b.productId ? -1 : 1)).slice(0, productsMax);
}

/** The 10 greatest shares, ties by category; `categoryOf` gives a product's current category, null for none. */
export function categoryAffinity(
  products: readonly WeightedProduct[],
  categoryOf: (productId: string) => string | null,
): CategoryShare[] {
  const sums = new Map<string, number>();
  let total = 0;
  for (const { productId, weight } of products) {
    const category = categoryOf(productId);
    if (category === null) continue;
    sums.set(category, (sums.get(category) ?? 0) + weight);
    total += weight;
  }
  // Weights that have all decayed to nothing say nothing.
  if (total === 0) return [];
  return [...sums]
    .map(([category, sum]) => ({ category, share: sum / total }))
    .sort((a, b) => b.share - a.share || (a.category < b.category ? -1 : 1))
    .slice(0, categoriesMax);
}

const productsMax = 1_000;
const categoriesMax = 10;
